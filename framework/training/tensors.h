#pragma once

#include <map>
#include <string>
#include <vector>

#include "framework/error.h"
#include "framework/files/safetensors.h"
#include "framework/runs/checkpoint.h"
#include "framework/training/tensor.h"

namespace torch::nn {
class Module;
}

namespace vitrine {

// A copy of `tensor` (any device, any strides) for a file.
OwnedTensor to_owned(const std::string& name, const Tensor& tensor);
// A CPU tensor with a copy of the bytes. Throws Error(kData) for an element type that torch lacks.
Tensor to_tensor(const TensorView& view);
Tensor to_tensor(const OwnedTensor& tensor);

std::vector<TensorView> views_of(const std::vector<OwnedTensor>& tensors);

// Parameters and persistent buffers of a module, by name.
std::map<std::string, Tensor> state_of(const torch::nn::Module& module);

// Copies `values` into `target`, in place. Throws Error(`code`) where names or shapes differ,
// listing all of them; `what` begins the message.
void copy_state(const std::map<std::string, Tensor>& target,
                const std::map<std::string, Tensor>& values, ExitCode code,
                const std::string& what);

}  // namespace vitrine

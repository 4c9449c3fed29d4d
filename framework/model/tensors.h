#pragma once

#include <map>
#include <string>
#include <vector>

#include "framework/data/tensor_words.h"
#include "framework/error.h"
#include "framework/files/safetensors.h"
#include "framework/model/modules.h"
#include "framework/runs/checkpoint.h"

namespace vitrine {

// A copy of `tensor` (any device, any strides) for a file.
OwnedTensor to_owned(const std::string& name, const Tensor& tensor);
// A CPU tensor with a copy of the bytes. Throws Error(kData) for an element type that torch lacks.
Tensor to_tensor(const TensorView& view);
Tensor to_tensor(const OwnedTensor& tensor);

std::vector<TensorView> views_of(const std::vector<OwnedTensor>& tensors);

// Parameters and persistent buffers of a module, by name.
std::map<std::string, Tensor> state_of(const torch::nn::Module& module);
std::map<std::string, Tensor> state_of(const Modules& modules);

// What is wrong with `values` (names as in state_of) as weights of `module`, in whose element types
// they are looked at: the tensors that have NaN or infinities, called as in their file, where
// `prefix` stands before each name. Empty where all are finite. A buffer in which the module itself
// has such values, such as a mask, may have them.
std::string nonfinite_weights(const torch::nn::Module& module,
                              const std::map<std::string, Tensor>& values,
                              const std::string& prefix = "");
std::string nonfinite_weights(const Modules& modules, const std::map<std::string, Tensor>& values,
                              const std::string& prefix);

// Copies `values` into `target`, in place. Throws Error(`code`) where names or shapes differ,
// listing all of them; `what` begins the message.
void copy_state(const std::map<std::string, Tensor>& target,
                const std::map<std::string, Tensor>& values, ExitCode code,
                const std::string& what);

}  // namespace vitrine

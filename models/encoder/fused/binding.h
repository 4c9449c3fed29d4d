#pragma once

#include <string>
#include <vector>

#include "models/encoder/fused/network.h"
#include "models/parts.h"

namespace vitrine::fused {

// A network over the parameters of a model's parts: the same tensors, under their names.
class Binding {
 public:
  // With `from_pixels` the network has the embedding in it, else it starts at its tokens.
  Binding(const EncoderContext& context, bool from_pixels);
  Binding(const Binding&) = delete;
  Binding& operator=(const Binding&) = delete;

  // The network with its parameters where they lie now. `positions`: [T, D], or undefined.
  const Network& network(const Tensor& positions);

  // One parameter that is trained; undefined where none is.
  Tensor any_trained() const;
  // Adds to the parameters' gradients from a buffer of all gradients.
  void accumulate(const float* gradients) const;
  Tensor position_gradient(const float* gradients) const;  // [T, D]

 private:
  struct Bound {
    Tensor tensor;
    size_t gradient;  // where its own begins among all
  };
  struct Use {
    size_t bound, offset;  // a tensor may hold several parameters
    Parameter* parameter;
  };

  void bind_block(Block& block, const torch::nn::Module& module, const Node& choices);
  void bind(Linear& linear, const torch::nn::Module& module, const std::string& name, size_t out,
            size_t in);
  void bind(Norm& norm, const torch::nn::Module& module, const std::string& name,
            const Node& choices);
  size_t bind(const Tensor& tensor);
  void use(Parameter& parameter, size_t bound, size_t offset = 0);

  std::vector<Bound> bound_;
  std::vector<Use> uses_;
  Network net_;
  size_t position_gradient_ = 0;
};

}  // namespace vitrine::fused

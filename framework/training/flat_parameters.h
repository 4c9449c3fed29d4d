#pragma once

#include <map>
#include <string>
#include <vector>

#include "framework/training/parameter_traits.h"
#include "framework/training/tensor.h"

namespace torch::nn {
class Module;
}

namespace vitrine {

// A model's trainable parameters in one flat tensor, and their gradients in another, so that an
// optimizer's step, a norm or an average is one operation. The model's own tensors become views
// into it.
class FlatParameters {
 public:
  struct Slice {
    std::string name;
    int64_t offset = 0;
    std::vector<int64_t> shape;
    ParameterTraits traits;
  };

  explicit FlatParameters(torch::nn::Module& model);

  Tensor& values() { return values_; }        // float [n]; the gaps of the alignment hold 0
  Tensor& gradients() { return gradients_; }  // float [n]
  const std::vector<Slice>& slices() const { return slices_; }
  // `flat` (of the same length) by parameter name, as views in the parameters' shapes.
  std::map<std::string, Tensor> by_name(const Tensor& flat) const;

 private:
  std::vector<Slice> slices_;
  Tensor values_, gradients_;
};

}  // namespace vitrine

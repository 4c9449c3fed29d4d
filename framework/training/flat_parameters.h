#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "framework/model/modules.h"
#include "framework/training/parameter_traits.h"

namespace vitrine {

// The trainable parameters of modules in one flat tensor, and their gradients in another, so that
// an optimizer's step, a norm or an average is one operation. The modules' own tensors become views
// into it.
class FlatParameters {
 public:
  struct Slice {
    std::string name;
    int64_t offset = 0;
    std::vector<int64_t> shape;
    ParameterTraits traits;
    size_t stage = 0;  // 0: trained from the start; else of those that are trained later
    Tensor parameter;  // the module's own
  };
  // Names of parameters that are frozen at first, a list each stage. They lie among the others, and
  // are trained once they require gradients.
  using Stages = std::vector<std::vector<std::string>>;

  explicit FlatParameters(torch::nn::Module& model, const Stages& later = {});
  explicit FlatParameters(const Modules& modules, const Stages& later = {});

  // float [n], to be changed in place; the gaps of the alignment hold 0
  const Tensor& values() const { return values_; }
  const Tensor& gradients() const { return gradients_; }
  const std::vector<Slice>& slices() const { return slices_; }
  // The modules' buffers, by name: where weights are averaged, they are to be too.
  const std::map<std::string, Tensor>& buffers() const { return buffers_; }
  // The name of a buffer that was finite at first and is not any more; empty where none is so.
  std::string nonfinite_buffer() const;
  // `flat` (of the same length) by parameter name, as views in the parameters' shapes.
  std::map<std::string, Tensor> by_name(const Tensor& flat) const;

 private:
  void add(const std::string& prefix, torch::nn::Module& module, const Stages& later);
  void add_buffers(const std::string& prefix, const torch::nn::Module& module);
  void flatten();

  int64_t length_ = 0;
  std::vector<Slice> slices_;
  std::map<std::string, Tensor> buffers_;
  std::set<std::string> finite_;  // buffers that were so at first
  Tensor values_, gradients_;
};

}  // namespace vitrine

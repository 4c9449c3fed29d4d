#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "framework/registry/registry.h"
#include "framework/training/tensor.h"

namespace vitrine {

// A model as its layouts see it.
struct LayoutContext {
  int64_t channels = 0, height = 0, width = 0;  // of an image
  int64_t rows = 0, columns = 0;                // of patches
  std::vector<std::string> tasks;
  Node options;                           // the model's, resolved
  std::map<std::string, Tensor> weights;  // under the model's own names
  Tensor positions;  // what is added to the tokens [N, D], in the weights or not; may be undefined
};

// The names and shapes that another program gives to the same weights.
class Layout {
 public:
  static constexpr const char* kKind = "layout";
  using Context = LayoutContext;

  virtual ~Layout() = default;
  // What of this model the other program has no equal of, each in words; empty where all fits.
  virtual std::vector<std::string> misfits() const = 0;
  virtual std::map<std::string, Tensor> weights() const = 0;
};

// The weights in the registered layout `name`. Throws Error(kUsage) for an unknown one, and for a
// model that has no equal in it.
std::map<std::string, Tensor> weights_in_layout(const std::string& name,
                                                const LayoutContext& context);

// --- for those who write a layout

// An option ("attention.output_projection") and the values that the other program has; `type` of a
// component is its name.
struct Fits {
  std::string option;
  std::vector<nlohmann::ordered_json> values;
};
// For each option with another value, what it is and what it must be.
std::vector<std::string> misfits_of(const Node& options, const std::vector<Fits>& wanted);

// `weights` with, in each name, the first occurrence of a pair's first text replaced by its second,
// pair after pair.
std::map<std::string, Tensor> renamed(
    const std::map<std::string, Tensor>& weights,
    const std::vector<std::pair<std::string, std::string>>& replacements);

}  // namespace vitrine

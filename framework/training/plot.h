#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "framework/registry/registry.h"
#include "framework/reports/heat_map.h"
#include "framework/reports/numbers.h"
#include "framework/training/model_context.h"

namespace vitrine {

struct PlotImage {
  std::string name;   // "test image 3", or the file's
  std::string label;  // its class's name; empty where it is not known
  Tensor pixels;      // uint8 [1, C, H, W]
  Tensor input;       // the same as the model takes it
};

struct PlotContext {
  std::shared_ptr<Model> model;  // in evaluation mode, on the CPU; null where no run was given
  // By their numbers in the run's test set, or PNG files. Throws Error(kData) where the data are
  // not at hand.
  std::function<std::vector<PlotImage>(const std::vector<std::string>&)> load_images;
};

// A picture of a model, drawn by `runner plot <name>`.
class Plot {
 public:
  static constexpr const char* kKind = "plot";
  using Context = PlotContext;

  virtual ~Plot() = default;
  virtual Picture draw() = 0;
};

Values to_values(const Tensor& matrix);
// Of any shape, the last dimension fastest.
std::vector<float> to_floats(const Tensor& tensor);
// " (sincos)", of the part of a model whose resolved options these are; empty where it has none of
// this kind.
std::string type_in_brackets(const Node& choices, const char* kind);
// uint8 [C, H, W]; what has neither one nor three channels is averaged over them.
Image to_image(const Tensor& pixels);

}  // namespace vitrine

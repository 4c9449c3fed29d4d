#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "framework/drawing/heat_map.h"
#include "framework/drawing/numbers.h"
#include "framework/drawing/picture.h"
#include "framework/model/recording.h"
#include "framework/registry/registry.h"

namespace vitrine {

struct PlotImage {
  std::string name;                 // "test image 3", or the file's
  std::vector<std::string> labels;  // of each column of the data set; none where they are not known
  Tensor pixels;                    // uint8 [1, C, H, W]
  Tensor input;                     // the same as the model takes it
};

class Experiment;

struct PlotContext {
  std::shared_ptr<Model> model;  // in evaluation mode, on the CPU; null where no run was given
  std::vector<int64_t> images;   // that the model takes: channels, height and width
  // Loads images by their numbers in the run's test set, or from PNG files. Throws Error(kData)
  // where the data are not at hand.
  std::function<std::vector<PlotImage>(const std::vector<std::string>&)> load_images;
  // The run's experiment with what it trained. Throws Error(kUsage) where no run was given.
  std::function<std::shared_ptr<Experiment>()> load_experiment;
};

// A picture of a model, drawn by `runner plot <name>`.
class Plot : public Registered {
 public:
  static constexpr const char* kKind = "plot";
  using Context = PlotContext;

  virtual ~Plot() = default;
  virtual Picture draw() = 0;
};

Values to_values(const Tensor& matrix);
// The numbers of a tensor of any shape, the last dimension fastest.
std::vector<float> to_floats(const Tensor& tensor);
// What a picture of a model is drawn from. Throws Error(kUsage) where no model was given, or one
// that cannot be recorded.
Recording recording_of(const PlotContext& context);
// " (sincos)": the type of the part of this name; empty where the model has none.
std::string type_in_brackets(const Recording& recording, const std::string& part);
// uint8 [C, H, W]; what has neither one nor three channels is averaged over them.
Image to_image(const Tensor& pixels);

}  // namespace vitrine

#pragma once

#include <map>
#include <string>
#include <vector>

#include "framework/model/model_context.h"
#include "framework/model/operations.h"
#include "framework/state/state.h"
#include "framework/torch.h"

namespace vitrine {

struct LayoutContext;

class Model : public torch::nn::Module, public Registered, public Stateful {
 public:
  static constexpr const char* kKind = "model";
  using Context = ModelContext;
  using RequiredOptions = ModelOptions;

  // What forward makes. Throws an error that names the component where that is not one output a
  // task.
  std::vector<Value> operator()(const Value& images);
  // Computes one output a task, [1, outputs], of images [C, H, W], uint8 (as stored, 255 is 1) or
  // float. Without tasks its features are the one output.
  virtual std::vector<Value> forward(const Value& images) = 0;
  // What heads are given: [1, columns], or a row for each task. Throws Error(kUsage) for a model
  // that does not tell them.
  virtual Value features(const Value& images);
  virtual const std::vector<Task>& tasks() const = 0;
  // Its layers from the images on, each by the names of modules or parameters ("blocks.0"), for
  // optimizers that take smaller steps in early ones. What none of them names is the last layer.
  virtual std::vector<std::vector<std::string>> layers() const { return {}; }
  // The modules that make outputs of features.
  virtual std::vector<std::string> heads() const { return {}; }
  // The parameters, or modules, that are not meant to be drawn to zero: tokens, positions. Biases
  // and what has one dimension need no mention.
  virtual std::vector<std::string> no_weight_decay() const { return {}; }
  // What layouts know of it: by default its weights alone.
  virtual LayoutContext layout_context();
  // Its weights under the names and shapes of another program. Throws Error(kUsage) for a layout
  // that it has no equal in.
  std::map<std::string, Tensor> export_as(const std::string& layout);
};

}  // namespace vitrine

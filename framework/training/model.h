#pragma once

#include <map>
#include <string>
#include <vector>

#include "framework/training/model_context.h"
#include "framework/training/operations.h"
#include "framework/training/torch.h"

namespace vitrine {

class Model : public torch::nn::Module {
 public:
  static constexpr const char* kKind = "model";
  using Context = ModelContext;
  using RequiredOptions = ModelOptions;

  // Of images [C, H, W], uint8 (as stored, 255 is 1) or float, one output a task: [1, classes].
  virtual std::vector<Value> forward(const Value& images) = 0;
  virtual const std::vector<Task>& tasks() const = 0;
  // Its weights under the names and shapes of another program. Throws Error(kUsage) for a layout
  // that it has no equal in.
  virtual std::map<std::string, Tensor> export_as(const std::string& layout);
};

}  // namespace vitrine

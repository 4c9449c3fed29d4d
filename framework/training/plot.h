#pragma once

#include <memory>

#include "framework/files/png.h"
#include "framework/registry/registry.h"
#include "framework/training/model_context.h"

namespace vitrine {

struct PlotContext {
  std::shared_ptr<Model> model;  // in evaluation mode, on the CPU; null where the plot needs none
};

// A picture of a model, drawn by `runner plot <name>`.
class Plot {
 public:
  static constexpr const char* kKind = "plot";
  using Context = PlotContext;

  virtual ~Plot() = default;
  virtual Image draw() = 0;
};

}  // namespace vitrine

#pragma once

#include <map>

#include "framework/registry/registry.h"
#include "framework/training/flat_parameters.h"

namespace vitrine {

struct OptimizerContext {
  FlatParameters* parameters = nullptr;  // outlives the optimizer
};

class Optimizer {
 public:
  static constexpr const char* kKind = "optimizer";
  using Context = OptimizerContext;

  virtual ~Optimizer() = default;
  virtual double learning_rate() const = 0;  // the config's; the schedule multiplies it
  // One step on parameters->values() with parameters->gradients().
  virtual void step(double learning_rate) = 0;
  // Its state by slot ("exp_avg"): tensors as long as the flat parameters, or of one element
  // ("step"). They are written and restored in place.
  virtual std::map<std::string, Tensor> slots() = 0;
};

}  // namespace vitrine

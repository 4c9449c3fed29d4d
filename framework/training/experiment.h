#pragma once

#include "framework/registry/registry.h"

namespace vitrine {

class Run;
struct ExperimentContext {};

// How a model is trained.
class Experiment {
 public:
  static constexpr const char* kKind = "experiment";
  using Context = ExperimentContext;

  virtual ~Experiment() = default;
  // Trains until the run is complete or is asked to stop (Run::stopped says which).
  virtual void train(Run& run) = 0;
};

}  // namespace vitrine

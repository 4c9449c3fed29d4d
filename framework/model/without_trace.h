#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "framework/model/modules.h"
#include "framework/state/states.h"

namespace vitrine {

// The parts of modules that may keep a state, by their places: "model.blocks.0.mlp", and "model"
// itself.
std::vector<Keeper> part_keepers(const Modules& modules);

// Puts back as it goes what a trial has changed: buffers and states of the modules, what else is
// given, and libtorch's generators.
class WithoutTrace {
 public:
  explicit WithoutTrace(const Modules& modules, std::vector<std::shared_ptr<Stateful>> others = {});
  ~WithoutTrace();
  WithoutTrace(const WithoutTrace&) = delete;
  WithoutTrace& operator=(const WithoutTrace&) = delete;

  // What of a module has changed, as "blocks.0.norm1.running_mean"; empty where nothing has.
  std::string changed() const;
  void stay() { stays_ = true; }  // as it is now, when it goes

 private:
  struct Buffer {
    std::string name;
    Tensor it, before;
  };
  std::vector<Buffer> buffers_;
  std::vector<std::pair<std::string, std::unique_ptr<KeptMeanwhile>>> states_;
  std::vector<std::shared_ptr<Stateful>> others_;  // among the states, kept alive
  Tensor generator_, cuda_generator_;
  bool stays_ = false;
};

}  // namespace vitrine

#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "framework/tensor.h"

namespace torch::nn {
class Module;
}

namespace vitrine {

// What begins the names of tensors that an experiment adds to a model's.
inline constexpr const char* kOfExperiment = "experiment.";

// Modules that are trained together, and what begins the names of each one's tensors.
struct NamedModule {
  std::string prefix;
  std::shared_ptr<torch::nn::Module> module;
};
using Modules = std::vector<NamedModule>;

// A model's and those that its experiment adds, each under its name: "experiment.NAME.".
Modules trained_together(const std::shared_ptr<torch::nn::Module>& model, const Modules& added);

// All parameters, then all buffers, by name, in the order in which they were made.
std::vector<std::pair<std::string, Tensor>> named_tensors(const Modules& modules);
std::vector<std::pair<std::string, Tensor>> named_parameters(const Modules& modules);

// In training mode or in evaluation mode.
void set_training(const Modules& modules, bool training);
// In evaluation mode until it goes, then in training mode.
class InEvaluation {
 public:
  explicit InEvaluation(Modules modules) : modules_(std::move(modules)) {
    set_training(modules_, false);
  }
  ~InEvaluation() { set_training(modules_, true); }
  InEvaluation(const InEvaluation&) = delete;
  InEvaluation& operator=(const InEvaluation&) = delete;

 private:
  Modules modules_;
};

}  // namespace vitrine

#include "framework/model/modules.h"

#include "framework/torch.h"

namespace vitrine {

Modules trained_together(const std::shared_ptr<torch::nn::Module>& model, const Modules& added) {
  Modules out = {{"", model}};
  for (const auto& [name, module] : added) out.push_back({kOfExperiment + name + ".", module});
  return out;
}

std::vector<std::pair<std::string, Tensor>> named_parameters(const Modules& modules) {
  std::vector<std::pair<std::string, Tensor>> out;
  for (const auto& [prefix, module] : modules) {
    for (const auto& item : module->named_parameters())
      out.emplace_back(prefix + item.key(), item.value());
  }
  return out;
}

std::vector<std::pair<std::string, Tensor>> named_tensors(const Modules& modules) {
  std::vector<std::pair<std::string, Tensor>> out = named_parameters(modules);
  for (const auto& [prefix, module] : modules) {
    for (const auto& item : module->named_buffers())
      out.emplace_back(prefix + item.key(), item.value());
  }
  return out;
}

void set_training(const Modules& modules, bool training) {
  for (const auto& [prefix, module] : modules) module->train(training);
}

}  // namespace vitrine

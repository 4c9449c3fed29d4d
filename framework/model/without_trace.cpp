#include "framework/model/without_trace.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <set>

#include "framework/torch.h"

namespace vitrine {
namespace {

at::Generator cuda() { return at::globalContext().defaultGenerator(at::Device(at::kCUDA, 0)); }

}  // namespace

std::vector<Keeper> part_keepers(const Modules& modules) {
  std::vector<Keeper> out;
  std::set<const Stateful*> seen;
  for (const auto& [prefix, module] : modules) {
    for (const auto& item : module->named_modules()) {
      auto* it = dynamic_cast<Stateful*>(item.value().get());
      const std::string name = prefix + item.key();
      if (it && seen.insert(it).second)
        out.push_back({name.empty() ? "model" : "model." + name, "", it});
    }
  }
  return out;
}

WithoutTrace::WithoutTrace(const Modules& modules, std::vector<std::shared_ptr<Stateful>> others)
    : others_(std::move(others)),
      generator_(at::detail::getDefaultCPUGenerator().get_state().clone()) {
  bool has_cuda = false;
  for (const auto& [name, tensor] : named_tensors(modules)) has_cuda |= tensor.is_cuda();
  if (has_cuda) cuda_generator_ = cuda().get_state().clone();
  for (const auto& [prefix, module] : modules) {
    for (const auto& item : module->named_buffers())
      buffers_.push_back({prefix + item.key(), item.value(), item.value().detach().clone()});
  }
  for (const Keeper& part : part_keepers(modules)) {
    if (!State::of(*part.it).empty())
      states_.emplace_back(part.name, std::make_unique<KeptMeanwhile>(*part.it));
  }
  for (const auto& it : others_) {
    if (!State::of(*it).empty()) states_.emplace_back("", std::make_unique<KeptMeanwhile>(*it));
  }
}

WithoutTrace::~WithoutTrace() {
  for (auto& [name, state] : states_) {
    if (stays_) state->stay();
  }
  if (stays_) return;
  const at::NoGradGuard no_grad;
  for (Buffer& buffer : buffers_) {
    if (!is_same_bits(buffer.it, buffer.before)) buffer.it.copy_(buffer.before);
  }
  at::Generator generator = at::detail::getDefaultCPUGenerator();
  generator.set_state(generator_);
  if (cuda_generator_.defined()) cuda().set_state(cuda_generator_);
}

std::string WithoutTrace::changed() const {
  for (const Buffer& buffer : buffers_) {
    if (!is_same_bits(buffer.it, buffer.before)) return buffer.name;
  }
  for (const auto& [name, state] : states_) {
    if (!name.empty() && state->has_changed()) return "what " + name + " keeps";
  }
  return "";
}

}  // namespace vitrine

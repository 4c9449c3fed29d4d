#include "framework/training/flat_parameters.h"

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <set>

#include "framework/error.h"
#include "framework/torch.h"

namespace vitrine {
namespace {

constexpr int64_t kAlignment = 16;  // floats: a cache line

int64_t aligned(int64_t count) { return (count + kAlignment - 1) / kAlignment * kAlignment; }

Tensor view(const Tensor& flat, const FlatParameters::Slice& slice) {
  return flat.narrow(0, slice.offset, c10::multiply_integers(slice.shape)).view(slice.shape);
}

void require_usable(const std::string& name, const Tensor& parameter, const at::Device& device) {
  if (parameter.scalar_type() == at::kFloat && parameter.device() == device) return;
  throw Error(ExitCode::kInternal,
              "parameter " + name + " is " + toString(parameter.scalar_type()) + " on " +
                  parameter.device().str() + "; all must be Float on " + device.str());
}

bool is_finite(const Tensor& buffer) { return buffer.isfinite().all().item<bool>(); }

// From 1 on; 0 where none of the lists has the name.
size_t stage_of(const std::string& name, const FlatParameters::Stages& later) {
  for (size_t i = 0; i < later.size(); ++i) {
    if (std::find(later[i].begin(), later[i].end(), name) != later[i].end()) return i + 1;
  }
  return 0;
}

}  // namespace

FlatParameters::FlatParameters(torch::nn::Module& model, const Stages& later) {
  add("", model, later);
  add_buffers("", model);
  flatten();
}

FlatParameters::FlatParameters(const Modules& modules, const Stages& later) {
  for (const auto& [prefix, module] : modules) add(prefix, *module, later);
  for (const auto& [prefix, module] : modules) add_buffers(prefix, *module);
  flatten();
}

// Appends a module's.
void FlatParameters::add(const std::string& prefix, torch::nn::Module& module,
                         const Stages& later) {
  std::set<const void*> seen;  // a parameter that two modules share appears twice
  for (const Slice& slice : slices_) seen.insert(slice.parameter.unsafeGetTensorImpl());
  const auto traits = traits_of(module);
  for (const auto& item : module.named_parameters()) {
    const Tensor& parameter = item.value();
    const std::string name = prefix + item.key();
    const size_t stage = stage_of(name, later);
    if (!parameter.requires_grad() && stage == 0) continue;
    if (!seen.insert(parameter.unsafeGetTensorImpl()).second) continue;
    slices_.push_back({name, length_, parameter.sizes().vec(),
                       traits.at(parameter.unsafeGetTensorImpl()), stage, parameter});
    require_usable(name, parameter, slices_.front().parameter.device());
    length_ += aligned(parameter.numel());
  }
}

void FlatParameters::add_buffers(const std::string& prefix, const torch::nn::Module& module) {
  for (const auto& item : module.named_buffers()) {
    buffers_.emplace(prefix + item.key(), item.value());
    if (is_finite(item.value())) finite_.insert(prefix + item.key());
  }
}

std::string FlatParameters::nonfinite_buffer() const {
  const auto wrong = std::find_if(finite_.begin(), finite_.end(), [&](const std::string& name) {
    return !is_finite(buffers_.at(name));
  });
  return wrong == finite_.end() ? "" : *wrong;
}

void FlatParameters::flatten() {
  const at::Device device =
      slices_.empty() ? at::Device(at::kCPU) : slices_.front().parameter.device();
  values_ = at::zeros({length_}, at::TensorOptions(device).dtype(at::kFloat));
  gradients_ = at::zeros_like(values_);
  for (const Slice& slice : slices_) {
    const Tensor target = view(values_, slice);
    target.copy_(slice.parameter.detach());
    slice.parameter.set_data(target);
    slice.parameter.mutable_grad() = view(gradients_, slice);
  }
}

std::map<std::string, Tensor> FlatParameters::by_name(const Tensor& flat) const {
  std::map<std::string, Tensor> out;
  for (const Slice& slice : slices_) out.emplace(slice.name, view(flat, slice));
  return out;
}

}  // namespace vitrine

#include "framework/training/flat_parameters.h"

#include <ATen/ops/zeros.h>

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

}  // namespace

FlatParameters::FlatParameters(torch::nn::Module& model) {
  std::vector<Tensor> parameters;
  add("", model, parameters);
  flatten(parameters);
}

FlatParameters::FlatParameters(const Modules& modules) {
  std::vector<Tensor> parameters;
  for (const auto& [prefix, module] : modules) add(prefix, *module, parameters);
  flatten(parameters);
}

void FlatParameters::add(const std::string& prefix, torch::nn::Module& module,
                         std::vector<Tensor>& parameters) {
  std::set<const void*> seen;  // a parameter that two modules share appears twice
  for (const Tensor& parameter : parameters) seen.insert(parameter.unsafeGetTensorImpl());
  const auto traits = traits_of(module);
  for (const auto& item : module.named_parameters()) {
    const Tensor& parameter = item.value();
    if (!parameter.requires_grad() || !seen.insert(parameter.unsafeGetTensorImpl()).second)
      continue;
    parameters.push_back(parameter);
    require_usable(prefix + item.key(), parameter, parameters.front().device());
    slices_.push_back({prefix + item.key(), length_, parameter.sizes().vec(),
                       traits.at(parameter.unsafeGetTensorImpl())});
    length_ += aligned(parameter.numel());
  }
}

void FlatParameters::flatten(const std::vector<Tensor>& parameters) {
  const at::Device device = parameters.empty() ? at::Device(at::kCPU) : parameters.front().device();
  values_ = at::zeros({length_}, at::TensorOptions(device).dtype(at::kFloat));
  gradients_ = at::zeros_like(values_);
  for (size_t i = 0; i < slices_.size(); ++i) {
    const Tensor target = view(values_, slices_[i]);
    target.copy_(parameters[i].detach());
    parameters[i].set_data(target);
    parameters[i].mutable_grad() = view(gradients_, slices_[i]);
  }
}

std::map<std::string, Tensor> FlatParameters::by_name(const Tensor& flat) const {
  std::map<std::string, Tensor> out;
  for (const Slice& slice : slices_) out.emplace(slice.name, view(flat, slice));
  return out;
}

}  // namespace vitrine

#include "framework/training/weight_average.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/where.h>

#include <algorithm>

#include "framework/error.h"

namespace vitrine {
namespace {

void follow(Tensor& average, const Tensor& buffer, double share) {
  if (!buffer.is_floating_point()) return void(average.copy_(buffer));
  const Tensor is_usual = average.isfinite().logical_and_(buffer.isfinite());
  average.copy_(at::where(is_usual, average.lerp(buffer, share), buffer));
}

}  // namespace

double WeightAverage::decay_at(double decay, int64_t step) {
  const auto t = static_cast<double>(step);
  return std::min(decay, (1 + t) / (10 + t));
}

WeightAverage::WeightAverage(FlatParameters& parameters, const std::optional<double>& decay)
    : parameters_(parameters), decay_(decay) {
  if (!decay_) return;
  values_ = parameters.values().clone();
  for (const auto& [name, buffer] : parameters.buffers()) buffers_[name] = buffer.clone();
}

void WeightAverage::update(int64_t step) {
  if (!decay_) return;
  const at::NoGradGuard no_grad;
  const double share = 1 - decay_at(*decay_, step);
  values_.lerp_(parameters_.values(), share);
  for (auto& [name, average] : buffers_) follow(average, parameters_.buffers().at(name), share);
}

WeightAverage::InUse::InUse(FlatParameters& parameters, const Tensor& values,
                            const std::map<std::string, Tensor>& buffers)
    : parameters_(parameters) {
  if (!values.defined()) return;
  const at::NoGradGuard no_grad;
  weights_ = parameters.values().clone();
  parameters.values().copy_(values);
  for (const auto& [name, tested] : buffers) {
    const auto own = parameters.buffers().find(name);
    if (own == parameters.buffers().end())
      throw Error(ExitCode::kInternal, "tested_buffers: there is no buffer " + escape(name));
    Tensor buffer = own->second;
    buffers_[name] = buffer.clone();
    buffer.copy_(tested);
  }
}

WeightAverage::InUse::~InUse() {
  if (!weights_.defined()) return;
  const at::NoGradGuard no_grad;
  parameters_.values().copy_(weights_);
  for (const auto& [name, own] : buffers_) Tensor(parameters_.buffers().at(name)).copy_(own);
}

}  // namespace vitrine

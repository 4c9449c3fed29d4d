#include "framework/training/weight_average.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>

namespace vitrine {

double WeightAverage::decay_at(double decay, int64_t step) {
  const auto t = static_cast<double>(step);
  return std::min(decay, (1 + t) / (10 + t));
}

WeightAverage::WeightAverage(FlatParameters& parameters, const std::optional<double>& decay)
    : parameters_(parameters), decay_(decay) {
  if (decay_) values_ = parameters.values().clone();
}

void WeightAverage::update(int64_t step) {
  if (!decay_) return;
  const at::NoGradGuard no_grad;
  values_.lerp_(parameters_.values(), 1 - decay_at(*decay_, step));
}

WeightAverage::InUse::InUse(FlatParameters& parameters, const Tensor& values)
    : parameters_(parameters) {
  if (!values.defined()) return;
  const at::NoGradGuard no_grad;
  weights_ = parameters.values().clone();
  parameters.values().copy_(values);
}

WeightAverage::InUse::~InUse() {
  if (!weights_.defined()) return;
  const at::NoGradGuard no_grad;
  parameters_.values().copy_(weights_);
}

}  // namespace vitrine

#include "framework/training/meter.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

namespace vitrine {

// MPS has no double precision.
Meter::Meter(int64_t width, at::Device device)
    : values_(at::zeros(
          {width + 1},
          at::TensorOptions(at::kDouble).device(device.is_mps() ? at::Device(at::kCPU) : device))) {
}

void Meter::add(const Tensor& sums, int64_t images) {
  const at::NoGradGuard no_grad;
  values_.narrow(0, 0, values_.numel() - 1).add_(sums.to(values_.device()));
  images_ += images;
}

void Meter::add_step(const Tensor& gradient_norm) {
  const at::NoGradGuard no_grad;
  values_[values_.numel() - 1] += gradient_norm.to(values_.device());
  ++steps_;
}

double Meter::first() const { return values_[0].item<double>(); }

Sums Meter::sums() const {
  const Tensor values = values_.cpu();
  const double* begin = values.const_data_ptr<double>();
  const double* end = begin + values.numel() - 1;
  return {std::vector<double>(begin, end), *end, images_, steps_};
}

void Meter::set(const Sums& sums) {
  std::vector<double> values = sums.values;
  values.push_back(sums.gradient_norms);
  values_.copy_(at::tensor(values, at::kDouble));
  images_ = sums.images;
  steps_ = sums.steps;
}

void Meter::reset() {
  values_.zero_();
  images_ = steps_ = 0;
}

Sums zero_sums(int64_t width) { return {std::vector<double>(static_cast<size_t>(width)), 0, 0, 0}; }

void add(const Sums& from, Sums& to) {
  for (size_t i = 0; i < to.values.size(); ++i) to.values[i] += from.values[i];
  to.gradient_norms += from.gradient_norms;
  to.images += from.images;
  to.steps += from.steps;
}

}  // namespace vitrine

#include "experiments/mixing.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>

#include <algorithm>
#include <cmath>

#include "framework/beta.h"

namespace vitrine {
namespace {

Mixture with_last_first(int64_t count, double share) {
  return {at::arange(count - 1, -1, -1, at::kLong), at::full({count}, share, at::kFloat)};
}

// From `first` on, up to `last`.
struct Stretch {
  int64_t first, last;
  int64_t length() const { return last - first; }
};

Stretch around(int64_t middle, double length, int64_t side) {
  const auto whole = static_cast<int64_t>(length);
  return {std::max<int64_t>(middle - whole / 2, 0), std::min(middle + (whole + 1) / 2, side)};
}

}  // namespace

double drawn_share(double alpha, Draws& draws) { return beta_quantile(alpha, draws.uniform()); }

Mix::Mixed mixup(const Tensor& images, double share) {
  Tensor mixed = images.to(at::kFloat, /*non_blocking=*/false, /*copy=*/true).mul_(share);
  mixed.add_(images.flip(0).to(at::kFloat).mul_(1 - share));
  if (images.scalar_type() == at::kByte) mixed = mixed.round_().to(at::kByte);
  return {mixed, with_last_first(images.size(0), share)};
}

Mix::Mixed cutmix(const Tensor& images, double share, int64_t row, int64_t column) {
  const int64_t height = images.size(2), width = images.size(3);
  const double part = std::sqrt(1 - share);
  const Stretch rows = around(row, static_cast<double>(height) * part, height),
                columns = around(column, static_cast<double>(width) * part, width);
  const auto cut = [&](const Tensor& from) {
    return from.narrow(2, rows.first, rows.length()).narrow(3, columns.first, columns.length());
  };
  Tensor mixed = images.clone();
  cut(mixed).copy_(cut(images).flip(0));
  const auto covered = static_cast<double>(rows.length() * columns.length());
  const double own = 1 - covered / static_cast<double>(height * width);
  return {mixed, with_last_first(images.size(0), own)};
}

}  // namespace vitrine

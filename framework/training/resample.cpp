#include "framework/training/resample.h"

#include <ATen/ops/_upsample_bicubic2d_aa.h>
#include <ATen/ops/cat.h>

namespace vitrine {

Tensor resampled_positions(const Tensor& table, int64_t special, Grid from, Grid to) {
  const int64_t width = table.size(1);
  const Tensor patches =
      table.slice(0, special).reshape({1, from.rows, from.columns, width}).permute({0, 3, 1, 2});
  const Tensor scaled = at::_upsample_bicubic2d_aa(patches, {to.rows, to.columns}, false);
  return at::cat({table.slice(0, 0, special), scaled.permute({0, 2, 3, 1}).reshape({-1, width})});
}

Tensor adapted_channels(const Tensor& weight, int64_t from, int64_t to) {
  const Tensor channels = weight.reshape({weight.size(0), from, -1});
  if (to == 1) return channels.sum(1);
  const Tensor repeated = channels.repeat({1, (to + from - 1) / from, 1}).slice(1, 0, to);
  return (repeated * (static_cast<double>(from) / static_cast<double>(to))).flatten(1);
}

}  // namespace vitrine

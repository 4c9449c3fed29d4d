#include "models/position_grid.h"

#include <ATen/ops/_upsample_bicubic2d_aa.h>
#include <ATen/ops/cat.h>
#include <fmt/format.h>

#include <cmath>

namespace vitrine {
namespace {

// The grid of so many patches: a square, else one with the sides of `like`; none where neither is.
std::optional<PatchGrid> grid_of(int64_t patches, PatchGrid like) {
  if (patches < 1) return std::nullopt;
  const auto side = std::llround(std::sqrt(static_cast<double>(patches)));
  if (side * side == patches) return PatchGrid{side, side};
  const double ratio = static_cast<double>(like.rows) / static_cast<double>(like.columns);
  const auto rows = std::llround(std::sqrt(static_cast<double>(patches) * ratio));
  if (rows < 1 || patches % rows != 0) return std::nullopt;
  const PatchGrid out = {rows, patches / rows};
  return out.rows * like.columns == out.columns * like.rows ? std::optional(out) : std::nullopt;
}

}  // namespace

Tensor resampled_positions(const Tensor& table, int64_t special, PatchGrid from, PatchGrid to) {
  const int64_t width = table.size(1);
  const Tensor patches =
      table.slice(0, special).reshape({1, from.rows, from.columns, width}).permute({0, 3, 1, 2});
  const Tensor scaled = at::_upsample_bicubic2d_aa(patches, {to.rows, to.columns}, false);
  return at::cat({table.slice(0, 0, special), scaled.permute({0, 2, 3, 1}).reshape({-1, width})});
}

LayoutContext::Conversion conversion_to_grid(const Tensor& ours, PatchGrid grid) {
  const int64_t special = ours.size(0) - grid.rows * grid.columns, width = ours.size(1);
  return [=](const Tensor& theirs) -> std::optional<ConvertedWeight> {
    const bool is_like =
        theirs.dim() >= 2 && theirs.size(-1) == width && theirs.numel() == theirs.size(-2) * width;
    const auto there = is_like ? grid_of(theirs.size(-2) - special, grid) : std::nullopt;
    if (!there || there->rows < 1) return std::nullopt;
    const Tensor table = theirs.reshape({-1, width}).to(at::kFloat);
    return ConvertedWeight{resampled_positions(table, special, *there, grid),
                           fmt::format("positions of {} x {} patches are interpolated to {} x {}",
                                       there->rows, there->columns, grid.rows, grid.columns)};
  };
}

}  // namespace vitrine

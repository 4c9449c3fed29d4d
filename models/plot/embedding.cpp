#include <fmt/format.h>

#include "framework/drawing/grid.h"
#include "framework/model/model.h"
#include "framework/model/plot.h"
#include "framework/registry/register.h"
#include "models/patches.h"

namespace vitrine {
namespace {

constexpr int64_t kColumns = 16;

// The weights of what reads the patches: [filters, C, height, width].
Tensor filters_of(const Recording& recording) {
  const Patching patching = patching_of(recording);
  for (const Step& step : recording.program.steps) {
    const bool reads = !step.inputs.empty() && step.inputs[0] == patching.step;
    if (!reads || step.parameters.empty()) continue;
    const Tensor& weight = recording.parameters[step.parameters[0].index];
    if (weight.dim() == 4) return weight;
    return weight.unflatten(
        1, {patching.channels, patching.height / patching.rows, patching.width / patching.columns});
  }
  throw Error(ExitCode::kUsage, "the model's embedding has no filters that could be shown");
}

// What the embedding's first layer weighs pixels with, a tile for each dimension of a token. Three
// channels are shown as a colour, where grey is 0; other numbers of channels take a row each.
class EmbeddingPlot : public Plot {
 public:
  EmbeddingPlot(const NoOptions&, const PlotContext& context) {
    const Recording recording = recording_of(context);
    filters_ = filters_of(recording).detach();
    part_ = type_in_brackets(recording, "embedding");
    high_ = filters_.nan_to_num(0, 0, 0).abs().max().item<float>();
  }

  Picture draw() override {
    const bool coloured = filters_.size(1) == 3;
    Grid grid = tiles(coloured);
    grid.bar = colour_bar({coloured ? Palette::kGrey : Palette::kDiverging, -high_, high_},
                          "weight (no unit)");
    Picture out = vitrine::draw(std::move(grid));
    out.title = "Filters of the embedding" + part_;
    out.notes = {fmt::format(
        "Each tile is one filter, by its number: what its dimension of a token weighs the {} x {} "
        "pixels of a patch with (height x width).",
        filters_.size(2), filters_.size(3))};
    if (coloured)
      out.notes.push_back(
          "A pixel's colour is made of its three weights: mid-grey is 0, and more red is a larger "
          "weight of red.");
    if (const int64_t gaps = filters_.numel() - filters_.isfinite().sum().item<int64_t>(); gaps > 0)
      out.notes.push_back(
          fmt::format("Without meaning: {} weights that are no finite numbers.", gaps));
    out.numbers = [filters = filters_] {
      return json_of({{{"filter", "", counted(filters.size(0))},
                       {"channel", "", counted(filters.size(1))},
                       {"row of the pixel", "pixels", counted(filters.size(2))},
                       {"column of the pixel", "pixels", counted(filters.size(3))}},
                      "weight of a pixel",
                      "",
                      to_floats(filters)});
    };
    return out;
  }

 private:
  Grid tiles(bool coloured) const {
    Grid grid;
    const double height = static_cast<double>(filters_.size(2)),
                 width = static_cast<double>(filters_.size(3)), longer = std::max(height, width);
    constexpr double kSide = 56, kLeast = 14;
    grid.cell_width = std::max(kLeast, kSide * width / longer);
    grid.cell_height = std::max(kLeast, kSide * height / longer);
    const int64_t channels = filters_.size(1);
    for (int64_t first = 0; first < filters_.size(0); first += kColumns) {
      const int64_t count = std::min(kColumns, filters_.size(0) - first);
      for (int64_t channel = 0; channel < (coloured ? 1 : channels); ++channel) {
        GridRow row;
        row.begins_group = channel == 0 && channels > 1 && !coloured;
        if (channels > 1 && !coloured) row.label = fmt::format("channel {}", channel);
        for (int64_t i = first; i < first + count; ++i)
          row.cells.push_back({coloured ? coloured_tile(i) : tile(i, channel), {}});
        if (channel + 1 == channels || coloured) number(row, first);
        grid.rows.push_back(std::move(row));
      }
    }
    return grid;
  }
  static void number(GridRow& row, int64_t first) {
    for (GridCell& cell : row.cells) cell.caption = {std::to_string(first++)};
  }
  Image tile(int64_t filter, int64_t channel) const {
    return heat_map(to_values(filters_[filter][channel]), {Palette::kDiverging, -high_, high_});
  }
  Image coloured_tile(int64_t filter) const {
    const Tensor shares = filters_[filter] / std::max(2 * high_, 1e-12F) + 0.5;
    return to_image((shares.nan_to_num(0.5) * 255).round().clamp(0, 255).to(at::kByte));
  }

  Tensor filters_;  // [D, C, height, width]
  std::string part_;
  float high_ = 0;
};

VITRINE_REGISTER(Plot, EmbeddingPlot, NoOptions,
                 "the filters of a model's embedding: what a patch's pixels are weighed with")

}  // namespace
}  // namespace vitrine

#include <fmt/format.h>

#include "framework/registry/register.h"
#include "framework/reports/grid.h"
#include "framework/training/model.h"
#include "framework/training/plot.h"
#include "models/parts.h"

namespace vitrine {
namespace {

constexpr int64_t kColumns = 16;

// What the embedding's first layer weighs pixels with, a tile for each dimension of a token. Three
// channels are shown as a colour, where grey is 0; other numbers of channels take a row each.
class EmbeddingPlot : public Plot {
 public:
  EmbeddingPlot(const NoOptions&, const PlotContext& context)
      : filters_(composed(context.model.get()).parts().embedding->filters()) {
    if (!filters_.defined())
      throw Error(ExitCode::kUsage, "the model's embedding has no filters that could be shown");
    filters_ = filters_.detach();
    high_ = filters_.abs().max().item<float>();
  }

  Picture draw() override {
    Grid grid;
    grid.cell_width = grid.cell_height = 56;
    const double height = filters_.size(2), width = filters_.size(3);
    (height > width ? grid.cell_width : grid.cell_height) *=
        std::min(height, width) / std::max(height, width);
    const int64_t channels = filters_.size(1);
    const bool coloured = channels == 3;
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
    const Scale scale{Palette::kDiverging, -high_, high_};
    if (!coloured) grid.bar = colour_bar(scale, "weight");
    return vitrine::draw(std::move(grid));
  }

 private:
  static void number(GridRow& row, int64_t first) {
    for (GridCell& cell : row.cells) cell.caption = {std::to_string(first++)};
  }
  Image tile(int64_t filter, int64_t channel) const {
    return heat_map(to_values(filters_[filter][channel]), {Palette::kDiverging, -high_, high_});
  }
  Image coloured_tile(int64_t filter) const {
    const Tensor shares = filters_[filter] / (2 * high_) + 0.5;
    return to_image((shares * 255).round().clamp(0, 255).to(at::kByte));
  }

  Tensor filters_;  // [D, C, height, width]
  float high_ = 0;
};

VITRINE_REGISTER(Plot, EmbeddingPlot, NoOptions,
                 "the filters of a model's embedding: what a patch's pixels are weighed with")

}  // namespace
}  // namespace vitrine

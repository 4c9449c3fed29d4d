#include <cmath>

#include "framework/drawing/grid.h"
#include "framework/model/model.h"
#include "framework/model/plot.h"
#include "framework/registry/register.h"
#include "models/patches.h"

namespace vitrine {
namespace {

// For each patch a map of the cosine similarity of its position's embedding with those of all
// patches, as in Dosovitskiy et al. 2021, figure 7.
class Similarity : public Plot {
 public:
  Similarity(const NoOptions&, const PlotContext& context) {
    const Recording recording = recording_of(context);
    const Patching geometry = patching_of(recording);
    const Tensor all = position_table(context);
    const Tensor table = all.narrow(0, all.size(0) - geometry.count(), geometry.count());
    const Tensor directions = table / table.norm(2, -1, true).clamp_min(1e-12);
    similarity_ = at::matmul(directions, directions.t())
                      .view({geometry.rows, geometry.columns, geometry.rows, geometry.columns});
    side_ = static_cast<double>(std::max(geometry.height, geometry.width));
    height_ = static_cast<double>(geometry.height) / side_;
    width_ = static_cast<double>(geometry.width) / side_;
    part_ = type_in_brackets(recording, "position");
  }

  Picture draw() override {
    // From a round number, so that no difference in the last bits fills the whole scale.
    const double low = std::floor(10 * similarity_.min().item<double>()) / 10;
    const Scale scale{Palette::kViridis, std::min(low, 0.9), 1};
    Grid grid = tiles(scale);
    grid.bar = colour_bar(scale, "cosine similarity (no unit)");
    Picture out = vitrine::draw(std::move(grid));
    out.title = "Similarity of position embeddings" + part_;
    out.notes = {
        "Each tile stands for one patch and is a map of the whole image: the colour at a place is "
        "how similar the position embedding of the patch there is to that of the tile's patch, "
        "which is 1 with itself."};
    out.numbers = [similarity = similarity_] {
      const auto axis = [&](const char* name, int64_t dimension) {
        return NumbersAxis{name, "patches", counted(similarity.size(dimension))};
      };
      return json_of({{axis("row of the patch", 0), axis("column of the patch", 1),
                       axis("row of the other patch", 2), axis("column of the other patch", 3)},
                      "cosine similarity",
                      "",
                      to_floats(similarity)});
    };
    return out;
  }

 private:
  // A tile has the image's proportions, and is large enough that a patch can be seen.
  Grid tiles(const Scale& scale) const {
    Grid grid;
    const double side = std::max({28.0, 2.0 * static_cast<double>(similarity_.size(0)),
                                  2.0 * static_cast<double>(similarity_.size(1))});
    grid.cell_width = std::max(14.0, side * width_);
    grid.cell_height = std::max(14.0, side * height_);
    grid.gap = 4;
    grid.row_title = "row of the patch";
    grid.column_title = "column of the patch";
    for (int64_t column = 0; column < similarity_.size(1); ++column)
      grid.columns.push_back(std::to_string(column));
    for (int64_t row = 0; row < similarity_.size(0); ++row) {
      grid.rows.push_back({std::to_string(row), {}, false});
      for (const Tensor& map : similarity_[row].unbind())
        grid.rows.back().cells.push_back({heat_map(to_values(map), scale), {}});
    }
    return grid;
  }

  Tensor similarity_;                         // [rows, columns, rows, columns]
  double side_ = 1, height_ = 1, width_ = 1;  // of an image; both shares of its longer side
  std::string part_;
};

VITRINE_REGISTER(Plot, Similarity, NoOptions,
                 "cosine similarity between the positions of a model's patches")

}  // namespace
}  // namespace vitrine

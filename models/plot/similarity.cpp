#include "framework/registry/register.h"
#include "framework/reports/grid.h"
#include "framework/training/model.h"
#include "framework/training/plot.h"
#include "models/parts.h"

namespace vitrine {
namespace {

// For each patch a map of the cosine similarity of its position's embedding with those of all
// patches, as in Dosovitskiy et al. 2021, figure 7.
class Similarity : public Plot {
 public:
  Similarity(const NoOptions&, const PlotContext& context) {
    const Composed& model = composed(context.model.get());
    const PartContext& geometry = model.geometry();
    const Tensor table = model.parts().position_table().detach().narrow(
        0, geometry.special_tokens, geometry.rows * geometry.columns);
    const Tensor directions = table / table.norm(2, -1, true).clamp_min(1e-12);
    similarity_ = at::matmul(directions, directions.t())
                      .view({geometry.rows, geometry.columns, geometry.rows, geometry.columns});
  }

  Picture draw() override {
    Grid grid;
    grid.cell_width = static_cast<double>(std::max<int64_t>(28, 2 * similarity_.size(1)));
    grid.cell_height = static_cast<double>(std::max<int64_t>(28, 2 * similarity_.size(0)));
    grid.gap = 4;
    grid.row_title = "row of the patch";
    grid.column_title = "column of the patch";
    const Scale scale{Palette::kViridis, similarity_.min().item<float>(), 1};
    for (int64_t column = 0; column < similarity_.size(1); ++column)
      grid.columns.push_back(std::to_string(column));
    for (int64_t row = 0; row < similarity_.size(0); ++row) {
      grid.rows.push_back({std::to_string(row), {}, false});
      for (const Tensor& map : similarity_[row].unbind())
        grid.rows.back().cells.push_back({heat_map(to_values(map), scale), {}});
    }
    grid.bar = colour_bar(scale, "cosine similarity");
    return vitrine::draw(std::move(grid));
  }

 private:
  Tensor similarity_;  // [rows, columns, rows, columns]
};

VITRINE_REGISTER(Plot, Similarity, NoOptions,
                 "cosine similarity between the positions of a model's patches")

}  // namespace
}  // namespace vitrine

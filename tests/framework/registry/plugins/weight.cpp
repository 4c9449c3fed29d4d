// A picture of one weight of a model, or of nothing where none is given.
#include "framework/drawing/colour_bar.h"
#include "framework/drawing/grid.h"
#include "framework/model/model.h"
#include "framework/model/plot.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

class WeightPlot : public Plot {
 public:
  WeightPlot(const NoOptions&, const PlotContext& context) {
    if (context.model) weight_ = context.model->parameters().front().detach().flatten(1);
  }

  Picture draw() override {
    Grid grid;
    grid.columns = {weight_.defined() ? "a weight" : "no model"};
    return vitrine::draw(std::move(grid));
  }

 private:
  Tensor weight_;
};

VITRINE_REGISTER(Plot, WeightPlot, NoOptions, "a weight of a model")

}  // namespace
}  // namespace vitrine

#include <ATen/ops/linspace.h>
#include <ATen/ops/quantile.h>
#include <ATen/ops/stack.h>

#include "framework/drawing/heat_chart.h"
#include "framework/error.h"
#include "framework/model/model.h"
#include "framework/model/plot.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

struct Options {
  int64_t columns = 40;

  void visit(Fields& field) {
    field("columns", columns, "quantiles of each parameter", between(2, 1000));
  }
};

// How large the weights of a model are, a row each parameter.
class ExamplePlot : public Plot {
 public:
  // The model is null where no run was named.
  ExamplePlot(const Options& options, const PlotContext& context)
      : columns_(options.columns), model_(context.model) {
    if (!model_) throw Error(ExitCode::kUsage, "which run? this is a picture of its weights");
  }

  Picture draw() override {
    HeatChart chart;
    std::vector<Tensor> rows;
    NumbersAxis names{"parameter", "", {}};
    const Tensor shares = at::linspace(0, 1, columns_);
    for (const auto& parameter : model_->named_parameters()) {
      chart.y.labels.push_back({rows.size(), 1, parameter.key()});
      names.values.push_back(parameter.key());
      rows.push_back(at::quantile(parameter.value().detach().flatten().abs(), shares));
    }
    const Tensor sizes = at::stack(rows);
    chart.values = to_values(sizes);
    chart.bar = colour_bar(scale_of(chart.values, Palette::kViridis), "size (no unit)");
    chart.x.title = "share of the parameter's weights, from the smallest to the largest";
    Picture out = vitrine::draw(std::move(chart));
    out.title = "Sizes of weights";
    out.notes = {"Colour: the size that so many of the parameter's weights do not exceed."};
    // The numbers behind it, for -o FILE.json.
    out.numbers = [names = std::move(names), columns = columns_, sizes] {
      return json_of({{names, {"quantile", "", counted(columns)}}, "size", "", to_floats(sizes)});
    };
    return out;
  }

 private:
  int64_t columns_;
  std::shared_ptr<Model> model_;
};

VITRINE_REGISTER(Plot, ExamplePlot, Options, "sizes of a model's weights, as a heat map")

}  // namespace
}  // namespace vitrine

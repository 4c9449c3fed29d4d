#include <ATen/ops/ones.h>

#include <cstdlib>

#include "framework/drawing/heat_chart.h"
#include "framework/model/plot.h"
#include "framework/registry/register.h"

// A picture that is never the same.
namespace vitrine {
namespace {

class Shaky : public Plot {
 public:
  Shaky(const NoOptions&, const PlotContext&) {}
  Picture draw() override {
    HeatChart chart;
    chart.values = to_values(at::ones({2, 2}) * std::rand());
    chart.bar = colour_bar(scale_of(chart.values, Palette::kViridis), "size");
    return vitrine::draw(std::move(chart));
  }
};

VITRINE_REGISTER(Plot, Shaky, NoOptions, "is never the same")

}  // namespace
}  // namespace vitrine

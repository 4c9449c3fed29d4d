#include "framework/error.h"
#include "framework/registry/register.h"
#include "framework/reports/heat_map.h"
#include "framework/training/model.h"
#include "framework/training/plot.h"
#include "models/parts.h"

namespace vitrine {
namespace {

struct Options {
  int64_t length = 100, width = 300, scale = 1;
  Choice<Position> position{"sincos"};

  void visit(Fields& field) {
    field("length", length, "tokens: rows of the picture", between(1, 10'000));
    field("width", width, "hidden_d: columns of the picture", between(1, 10'000));
    field("scale", scale, "pixels a value, along each side", between(1, 64));
    field("position", position, "the part whose table is drawn");
  }
  void check(const PlotContext& context, Check& check) const {
    if (position.valid()) position.check(part_context(), check.problems());
    if (!context.model) return;
    for (const char* field : {"length", "width", "position"})
      check.no_effect(field, "the table of the run's model is drawn");
  }
  // One column of patches and no special token, so that the table has `length` rows.
  PartContext part_context() const {
    PartContext out;
    out.channels = out.columns = out.width = 1;
    out.rows = out.height = length;
    out.hidden_d = width;
    return out;
  }
};

// The tutorial's picture of the position table: one row a token, one column a dimension.
class Positions : public Plot {
 public:
  Positions(const Options& options, const PlotContext& context)
      : options_(options), context_(context) {}

  Picture draw() override {
    if (context_.model) return drawn(composed(context_.model.get()).parts().position_table());
    const Tensor table = options_.position.create(options_.part_context())->table(at::kCPU);
    if (table.defined()) return drawn(table);
    throw Error(ExitCode::kUsage,
                "the position \"" + options_.position.type() + "\" has no table to draw");
  }

 private:
  Picture drawn(const Tensor& table) const {
    const Values rows = to_values(table);
    const Image image = heat_map(rows, scale_of(rows, Palette::kHot));
    const auto scale = static_cast<double>(options_.scale);
    const Box box{0, 0, static_cast<double>(image.width) * scale,
                  static_cast<double>(image.height) * scale};
    return {box.width, box.height, 1, [=](Canvas& canvas) { canvas.image(box, image); }};
  }

  Options options_;
  PlotContext context_;
};

VITRINE_REGISTER(Plot, Positions, Options, "the table that a position part adds, as a heat map")

}  // namespace
}  // namespace vitrine

#include "framework/error.h"
#include "framework/registry/register.h"
#include "framework/reports/heat_map.h"
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
  void check(const PlotContext&, Check& check) const {
    if (position.valid()) position.check(part_context(), check.problems());
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
  Positions(const Options& options, const PlotContext&) : options_(options) {}

  Image draw() override {
    const auto position = options_.position.create(options_.part_context());
    const Tensor table = position->table(at::kCPU);
    if (!table.defined())
      throw Error(ExitCode::kUsage,
                  "the position \"" + options_.position.type() + "\" has no table to draw");
    const Tensor plain = table.detach().contiguous();
    std::vector<std::vector<float>> rows;
    for (int64_t i = 0; i < plain.size(0); ++i) {
      const float* row = plain.data_ptr<float>() + i * plain.size(1);
      rows.emplace_back(row, row + plain.size(1));
    }
    return heat_map(rows, options_.scale);
  }

 private:
  Options options_;
};

VITRINE_REGISTER(Plot, Positions, Options, "the table that a position part adds, as a heat map")

}  // namespace
}  // namespace vitrine

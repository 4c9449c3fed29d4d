#include <fmt/format.h>

#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

struct Options {
  double base = 100;

  void visit(Fields& field) {
    field("base", base, "ratio of the fastest turn to the slowest", above(1)).words({"theta"});
  }
  void check(const Geometry& context, Check& check) const {
    const int64_t width = context.hidden_d / context.n_heads;
    if (width % 4 == 0) return;
    check.error({}, fmt::format("rope needs heads whose width ({}) is divisible by 4: a quarter "
                                "for each coordinate of rows and of columns",
                                width));
  }
};

// Rotary positions in two dimensions: in each attention queries and keys are turned by angles of
// the patch's row and column, so that they meet by their distance (Su et al. 2021, "RoFormer"; Heo
// et al. 2024, "Rotary position embedding for vision transformer"). Special tokens are not turned.
class Rope : public Position {
 public:
  Rope(const Options& options, const PartContext& context) {
    const int64_t quarter = context.hidden_d / context.n_heads / 4;
    const Tensor frequency =
        at::pow(options.base, -at::arange(quarter, at::kDouble) / static_cast<double>(quarter))
            .unsqueeze(0);
    const auto angles = [&](const Tensor& place) { return place.unsqueeze(1) * frequency; };
    const Tensor rows = at::arange(context.rows, at::kDouble).repeat_interleave(context.columns);
    const Tensor columns = at::arange(context.columns, at::kDouble).repeat({context.rows});
    const Tensor special = at::zeros({context.special_tokens, 2 * quarter}, at::kDouble);
    const Tensor all = at::cat({special, at::cat({angles(rows), angles(columns)}, 1)});
    cosines_ = FixedTable(all.cos().to(at::kFloat));
    sines_ = FixedTable(all.sin().to(at::kFloat));
  }

  bool stays_with_tokens() const override { return false; }
  Value turned(const Value& x, int64_t n_heads) const override {
    return rotate(x, cosines_.on(x), sines_.on(x), n_heads);
  }

 protected:
  Value forward(const Value& x) override { return x; }

 private:
  mutable FixedTable cosines_, sines_;  // [N, half a head's width]
};

VITRINE_REGISTER(Position, Rope, Options,
                 "turns of queries and keys by the patch's row and column, in every attention")

}  // namespace
}  // namespace vitrine

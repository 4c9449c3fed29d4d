#include <fmt/format.h>

#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

struct Options : NoOptions {
  void check(const Geometry& context, Check& check) const {
    if (context.hidden_d % 4 == 0) return;
    check.error({}, fmt::format("sincos_2d needs a hidden_d ({}) that is divisible by 4",
                                context.hidden_d));
  }
};

// As in MoCo v3 (Chen et al. 2021): a quarter of the columns for each of sin(row), cos(row),
// sin(column), cos(column); zeros for special tokens.
Tensor sincos_2d(const PartContext& context) {
  const int64_t quarter = context.hidden_d / 4;
  const Tensor frequency =
      at::pow(10000, -at::arange(quarter, at::kDouble) / static_cast<double>(quarter)).unsqueeze(0);
  const Tensor row =
      at::arange(context.rows, at::kDouble).repeat_interleave(context.columns).unsqueeze(1) *
      frequency;
  const Tensor column =
      at::arange(context.columns, at::kDouble).repeat({context.rows}).unsqueeze(1) * frequency;
  const Tensor patches = at::cat({row.sin(), row.cos(), column.sin(), column.cos()}, 1);
  const Tensor special = at::zeros({context.special_tokens, context.hidden_d}, at::kDouble);
  return at::cat({special, patches}).to(at::kFloat);
}

class Sincos2dPosition : public Position {
 public:
  Sincos2dPosition(const Options&, const PartContext& context) : table_(sincos_2d(context)) {}

 protected:
  Value forward(const Value& x) override {
    const Value added = table(table_.on(x));
    named("table", [&] { return added; });
    return x + added;
  }

 private:
  FixedTable table_;
};

VITRINE_REGISTER(Position, Sincos2dPosition, Options,
                 "fixed sines and cosines of the patch's row and column")

}  // namespace
}  // namespace vitrine

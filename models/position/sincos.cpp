#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

// Vaswani et al. 2017, "Attention is all you need": sin on even columns, cos on odd ones, computed
// in double.
Tensor sincos(int64_t n_tokens, int64_t hidden_d) {
  const Tensor i = at::arange(n_tokens, at::kDouble).unsqueeze(1);
  const Tensor j = at::arange(hidden_d, at::kDouble).unsqueeze(0);
  const Tensor is_odd = at::remainder(j, 2);
  const Tensor angle = i / at::pow(10000, (j - is_odd) / static_cast<double>(hidden_d));
  return at::where(is_odd == 0, angle.sin(), angle.cos()).to(at::kFloat);
}

class SincosPosition : public Position {
 public:
  SincosPosition(const NoOptions&, const PartContext& context)
      : table_(sincos(context.n_tokens(), context.hidden_d)) {}

 protected:
  Value forward(const Value& x) override {
    const Value added = table(table_.on(x));
    named("table", [&] { return added; });
    return x + added;
  }

 private:
  FixedTable table_;
};

VITRINE_REGISTER(Position, SincosPosition, NoOptions,
                 "fixed sines and cosines of the token's number")

}  // namespace
}  // namespace vitrine

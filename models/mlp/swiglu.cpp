#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

struct Options {
  int64_t ratio = 4;
  double dropout = 0;

  void visit(Fields& field) {
    field("ratio", ratio,
          "2/3 of it times hidden_d, rounded up to a multiple of 8, is the hidden width",
          between(1, 10'000))
        .words({"expansion"});
    field("dropout", dropout, "probability that a hidden value is zeroed", from_below(0, 1))
        .words({"drop"});
  }
};

// Shazeer 2020, "GLU variants improve transformer": three matrices of 2/3 the width have as many
// parameters as two.
class SwigluMlp : public Mlp {
 public:
  SwigluMlp(const Options& options, const PartContext& context) : dropout_(options.dropout) {
    const int64_t d = context.hidden_d;
    const int64_t hidden = (2 * options.ratio * d + 23) / 24 * 8;
    gate_ = add("gate", std::make_shared<Linear>(d, hidden));
    up_ = add("up", std::make_shared<Linear>(d, hidden));
    down_ = add("down", std::make_shared<Linear>(hidden, d));
  }

 protected:
  Value forward(const Value& x) override {
    Value hidden = silu((*gate_)(x)) * (*up_)(x);
    if (dropout_ > 0 && is_training()) hidden = dropout(hidden, dropout_);
    return (*down_)(hidden);
  }

 private:
  double dropout_;
  std::shared_ptr<Linear> gate_, up_, down_;
};

VITRINE_REGISTER(Mlp, SwigluMlp, Options,
                 "a linear layer gated by the SiLU of another, then a third")

}  // namespace
}  // namespace vitrine

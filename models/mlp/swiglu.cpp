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
    gate_ = register_module("gate", torch::nn::Linear(d, hidden));
    up_ = register_module("up", torch::nn::Linear(d, hidden));
    down_ = register_module("down", torch::nn::Linear(hidden, d));
  }

  Tensor forward(const Tensor& x) override {
    Tensor hidden = at::silu(gate_->forward(x)) * up_->forward(x);
    if (dropout_ > 0 && is_training()) hidden = at::dropout(hidden, dropout_, true);
    return down_->forward(hidden);
  }

 private:
  double dropout_;
  torch::nn::Linear gate_{nullptr}, up_{nullptr}, down_{nullptr};
};

VITRINE_REGISTER(Mlp, SwigluMlp, Options,
                 "a linear layer gated by the SiLU of another, then a third")

}  // namespace
}  // namespace vitrine

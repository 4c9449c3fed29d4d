#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

struct Options {
  int64_t ratio = 4;
  double dropout = 0;

  void visit(Fields& field) {
    field("ratio", ratio, "hidden width as a multiple of hidden_d", between(1, 10'000))
        .words({"expansion"});
    field("dropout", dropout, "probability that a hidden value is zeroed", from_below(0, 1))
        .words({"drop"});
  }
};

class GeluMlp : public Mlp {
 public:
  GeluMlp(const Options& options, const PartContext& context) : dropout_(options.dropout) {
    const int64_t d = context.hidden_d;
    fc1_ = register_module("fc1", torch::nn::Linear(d, options.ratio * d));
    fc2_ = register_module("fc2", torch::nn::Linear(options.ratio * d, d));
  }

  Tensor forward(const Tensor& x) override {
    Tensor hidden = at::gelu(fc1_->forward(x));
    if (dropout_ > 0 && is_training()) hidden = at::dropout(hidden, dropout_, true);
    return fc2_->forward(hidden);
  }

 private:
  double dropout_;
  torch::nn::Linear fc1_{nullptr}, fc2_{nullptr};
};

VITRINE_REGISTER(Mlp, GeluMlp, Options, "two linear layers with a GELU between them")

}  // namespace
}  // namespace vitrine

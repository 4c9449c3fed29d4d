#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

struct Options {
  double eps = 1e-5;

  void visit(Fields& field) {
    field("eps", eps, "added to the variance", above(0)).words({"epsilon"});
  }
};

class LayerNorm : public Norm {
 public:
  LayerNorm(const Options& options, const PartContext& context) : eps_(options.eps) {
    weight_ = register_parameter("weight", at::ones(context.hidden_d));
    bias_ = register_parameter("bias", at::zeros(context.hidden_d));
  }

 protected:
  Value forward(const Value& x) override { return layer_norm(x, weight_, bias_, eps_); }

 private:
  double eps_;
  Tensor weight_, bias_;
};

VITRINE_REGISTER(Norm, LayerNorm, Options,
                 "mean 0 and variance 1 over the columns, then scale and shift")

}  // namespace
}  // namespace vitrine

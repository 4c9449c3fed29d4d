#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

struct Options {
  double eps = 1e-6;

  void visit(Fields& field) { field("eps", eps, "added to the mean square", above(0)); }
};

// Mean square 1 over the columns, then scale and shift.
class ExampleNorm : public Norm {
 public:
  ExampleNorm(const Options& options, const PartContext& context) : eps_(options.eps) {
    // What has one dimension is not drawn to zero by weight decay, unless an optimizer is told so.
    weight_ = register_parameter("weight", at::ones(context.hidden_d));
    bias_ = register_parameter("bias", at::zeros(context.hidden_d));
  }

 protected:
  Value forward(const Value& x) override {  // [n, D] -> the same
    return rms_norm(x, weight_, eps_) + table(bias_);
  }

 private:
  double eps_;
  Tensor weight_, bias_;  // [D]
};

VITRINE_REGISTER(Norm, ExampleNorm, Options, "mean square 1 over the columns, then scale and shift")

}  // namespace
}  // namespace vitrine

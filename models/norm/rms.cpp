#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

struct Options {
  double eps = 1e-6;

  void visit(Fields& field) {
    field("eps", eps, "added to the mean square", above(0)).words({"epsilon"});
  }
};

// Zhang and Sennrich 2019, "Root mean square layer normalization".
class RmsNorm : public Norm {
 public:
  RmsNorm(const Options& options, const PartContext& context) : eps_(options.eps) {
    weight_ = register_parameter("weight", at::ones(context.hidden_d));
  }

 protected:
  Value forward(const Value& x) override { return rms_norm(x, weight_, eps_); }

 private:
  double eps_;
  Tensor weight_;
};

VITRINE_REGISTER(Norm, RmsNorm, Options, "mean square 1 over the columns, then scale")

}  // namespace
}  // namespace vitrine

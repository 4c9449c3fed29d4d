#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

// The options that a config may set, each with its default, help and what it may be.
struct Options {
  int64_t ratio = 4;

  void visit(Fields& field) {
    field("ratio", ratio, "hidden width as a multiple of hidden_d", between(1, 10'000));
  }
};

// A gated GELU (Shazeer 2020, "GLU Variants Improve Transformer").
class ExampleMlp : public Mlp {
 public:
  // Parameters are drawn here, in this order; their names follow from those given to add.
  ExampleMlp(const Options& options, const PartContext& context) {
    const int64_t d = context.hidden_d, hidden = options.ratio * d;
    gate_ = add("gate", std::make_shared<Linear>(d, hidden));
    up_ = add("up", std::make_shared<Linear>(d, hidden));
    down_ = add("down", std::make_shared<Linear>(hidden, d));
  }

 protected:
  // Written with operations (framework/model/operations.h), so that the kernel can run it.
  Value forward(const Value& x) override {  // [n, D] -> the same
    return (*down_)(gelu((*gate_)(x)) * (*up_)(x));
  }

 private:
  std::shared_ptr<Linear> gate_, up_, down_;
};

// The name is the file's, the kind the first word's.
VITRINE_REGISTER(Mlp, ExampleMlp, Options, "a linear layer gated by the GELU of another, and one")

}  // namespace
}  // namespace vitrine

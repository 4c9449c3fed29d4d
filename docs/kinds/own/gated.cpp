#include "framework/registry/register.h"
#include "gate.h"
#include "models/parts.h"

namespace vitrine {
namespace {

struct Options {
  Choice<Gate> gate{"soft"};

  void visit(Fields& field) { field("gate", gate, "how much of the hidden values passes"); }
  // The gate's own rules, where it has any.
  void check(const Geometry& context, Check& check) const {
    gate.check({2 * context.hidden_d}, check.problems());
  }
};

// An MLP whose hidden values pass a gate.
class GatedMlp : public Mlp {
 public:
  GatedMlp(const Options& options, const PartContext& context) {
    const int64_t d = context.hidden_d, hidden = 2 * d;
    up_ = add("up", std::make_shared<Linear>(d, hidden));
    gate_ = add("gate", options.gate.create({hidden}));
    down_ = add("down", std::make_shared<Linear>(hidden, d));
  }

 protected:
  Value forward(const Value& x) override {
    const Value hidden = (*up_)(x);
    return (*down_)(hidden * (*gate_)(hidden));
  }

 private:
  std::shared_ptr<Linear> up_, down_;
  std::shared_ptr<Gate> gate_;
};

VITRINE_REGISTER(Mlp, GatedMlp, Options, "two linear layers with a gate between them")

}  // namespace
}  // namespace vitrine

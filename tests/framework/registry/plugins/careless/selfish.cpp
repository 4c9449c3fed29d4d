#include "framework/registry/register.h"
#include "models/parts.h"

// Its expert is one of itself by default.
namespace vitrine {
namespace {

struct Options {
  Choice<Mlp> expert{"selfish"};

  void visit(Fields& field) { field("expert", expert, "what it is made of"); }
};

class Selfish : public Mlp {
 public:
  Selfish(const Options& options, const PartContext& context)
      : expert_(options.expert.create(context)) {}

 protected:
  Value forward(const Value& x) override { return (*expert_)(x); }

 private:
  std::shared_ptr<Mlp> expert_;
};

VITRINE_REGISTER(Mlp, Selfish, Options, "is its own default")

}  // namespace
}  // namespace vitrine

// A part that computes with a library of its own.
#include "framework/registry/register.h"
#include "models/parts.h"

double helper_factor();

namespace vitrine {
namespace {

class LifeMlp : public Mlp {
 public:
  LifeMlp(const NoOptions&, const PartContext& context) {
    map_ = add("map", std::make_shared<Linear>(context.hidden_d, context.hidden_d));
  }

 protected:
  Value forward(const Value& x) override { return relu((*map_)(x)) * helper_factor(); }

 private:
  std::shared_ptr<Linear> map_;
};

VITRINE_REGISTER(Mlp, LifeMlp, NoOptions, "a linear layer, its ReLU, and a number of a library")

}  // namespace
}  // namespace vitrine

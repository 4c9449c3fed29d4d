// A part that computes with libtorch itself, so that its model is not recorded.
#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

class SineMlp : public Mlp {
 public:
  SineMlp(const NoOptions&, const PartContext& context) {
    map_ = add("map", std::make_shared<Linear>(context.hidden_d, context.hidden_d));
  }

 protected:
  Value forward(const Value& x) override { return at::sin((*map_)(x).tensor()); }

 private:
  std::shared_ptr<Linear> map_;
};

VITRINE_REGISTER(Mlp, SineMlp, NoOptions, "a linear layer and its sine")

}  // namespace
}  // namespace vitrine

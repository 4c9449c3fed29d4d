#include "framework/registry/register.h"
#include "models/parts.h"

// Says that it gives probabilities, which do not sum to 1.
namespace vitrine {
namespace {

class Unsure : public Head {
 public:
  Unsure(const NoOptions&, const HeadContext& context) {
    linear_ = add("linear", std::make_shared<Linear>(context.hidden_d, context.outputs));
  }
  bool gives_probabilities() const override { return true; }

 protected:
  Value forward(const Value& x) override { return sigmoid((*linear_)(x)); }

 private:
  std::shared_ptr<Linear> linear_;
};

VITRINE_REGISTER(Head, Unsure, NoOptions, "is unsure of each class by itself")

}  // namespace
}  // namespace vitrine

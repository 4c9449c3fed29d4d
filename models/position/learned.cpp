#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

class LearnedPosition : public Position {
 public:
  LearnedPosition(const NoOptions&, const PartContext& context) {
    table_ = register_parameter("table",
                                at::empty({context.n_tokens(), context.hidden_d}).normal_(0, 0.02));
  }

  std::vector<std::string> no_weight_decay() const override { return {"table"}; }

 protected:
  Value forward(const Value& x) override {
    const Value added = table(table_);
    named("table", [&] { return added; });
    return x + added;
  }

 private:
  Tensor table_;
};

VITRINE_REGISTER(Position, LearnedPosition, NoOptions, "a learned vector for each token")

}  // namespace
}  // namespace vitrine

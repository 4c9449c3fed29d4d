#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

struct Options {
  std::optional<int64_t> hidden;

  void visit(Fields& field) {
    field("hidden", hidden, "hidden width; null is hidden_d", between(1, 1'000'000));
  }
};

class MlpHead : public Head {
 public:
  MlpHead(const Options& options, const HeadContext& context) {
    const int64_t hidden = options.hidden.value_or(context.hidden_d);
    fc1_ = add("fc1", std::make_shared<Linear>(context.hidden_d, hidden));
    fc2_ = add("fc2", std::make_shared<Linear>(hidden, context.outputs));
  }

 protected:
  Value forward(const Value& x) override { return (*fc2_)(gelu((*fc1_)(x))); }

 private:
  std::shared_ptr<Linear> fc1_, fc2_;
};

VITRINE_REGISTER(Head, MlpHead, Options, "two linear layers with a GELU between them; gives logits")

}  // namespace
}  // namespace vitrine

#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

// Sequence pooling of Hassani et al. 2021, "Escaping the big data paradigm with compact
// transformers".
class AttentionPooling : public Pooling {
 public:
  AttentionPooling(const NoOptions&, const Geometry& context) {
    scores_ = add("scores", std::make_shared<Linear>(context.hidden_d, context.n_tasks));
  }

  int64_t special_tokens() const override { return 0; }

 protected:
  Value forward(const Value& x) override {
    const Value shares = softmax(transpose((*scores_)(x)));
    named("shares", [&] { return shares; });
    return weighted_sum(shares, x);
  }

 private:
  std::shared_ptr<Linear> scores_;
};

VITRINE_REGISTER(Pooling, AttentionPooling, NoOptions,
                 "a mean over all patches with learned shares for each task")

}  // namespace
}  // namespace vitrine

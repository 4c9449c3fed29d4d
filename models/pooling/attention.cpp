#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

// Sequence pooling of Hassani et al. 2021, "Escaping the big data paradigm with compact
// transformers".
class AttentionPooling : public Pooling {
 public:
  AttentionPooling(const NoOptions&, const PartContext& context) {
    scores_ = register_module("scores", torch::nn::Linear(context.hidden_d, context.n_tasks));
  }

  int64_t special_tokens() const override { return 0; }
  int64_t needed_tokens(int64_t n_tokens) const override { return n_tokens; }
  Tensor forward(const Tensor& x) override { return at::matmul(shares(x), x); }
  Tensor shares(const Tensor& x) override {
    return at::softmax(scores_->forward(x), 1).transpose(1, 2);
  }

 private:
  torch::nn::Linear scores_{nullptr};
};

VITRINE_REGISTER(Pooling, AttentionPooling, NoOptions,
                 "a mean over all patches with learned shares for each task")

}  // namespace
}  // namespace vitrine

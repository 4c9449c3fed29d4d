#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

// As in Vaswani et al. 2017, "Attention is all you need".
class PostNormBlock : public Block {
 public:
  PostNormBlock(const ResidualOptions& options, const BlockContext& context) {
    norm1_ = register_module("norm1", context.make_norm());
    attention_ = register_module("attention", context.make_attention());
    norm2_ = register_module("norm2", context.make_norm());
    mlp_ = register_module("mlp", context.make_mlp());
    branch1_ = register_module("branch1", std::make_shared<ResidualBranch>(options, context));
    branch2_ = register_module("branch2", std::make_shared<ResidualBranch>(options, context));
  }

  Tensor forward(const Tensor& x, int64_t n_out) override {
    const Tensor attended =
        x.narrow(1, 0, n_out) + branch1_->forward(attention_->forward(x, n_out));
    const Tensor y = norm1_->forward(attended);
    return norm2_->forward(y + branch2_->forward(mlp_->forward(y)));
  }

  Tensor attention_probabilities(const Tensor& x) override { return attention_->probabilities(x); }

 private:
  std::shared_ptr<Norm> norm1_, norm2_;
  std::shared_ptr<Attention> attention_;
  std::shared_ptr<Mlp> mlp_;
  std::shared_ptr<ResidualBranch> branch1_, branch2_;
};

VITRINE_REGISTER(Block, PostNormBlock, ResidualOptions,
                 "norm(x + attention(x)), then norm(x + mlp(x))")

}  // namespace
}  // namespace vitrine

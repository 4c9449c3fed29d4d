#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

// As in Vaswani et al. 2017, "Attention is all you need".
class PostNormBlock : public Block {
 public:
  PostNormBlock(const ResidualOptions& options, const BlockContext& context) {
    norm1_ = add("norm1", context.make_norm());
    attention_ = add("attention", context.make_attention());
    norm2_ = add("norm2", context.make_norm());
    mlp_ = add("mlp", context.make_mlp());
    branch1_ = add("branch1", std::make_shared<ResidualBranch>(options, context));
    branch2_ = add("branch2", std::make_shared<ResidualBranch>(options, context));
  }

 protected:
  Value forward(const Value& x) override {
    const Value y = (*norm1_)(x + (*branch1_)((*attention_)(x)));
    return (*norm2_)(y + (*branch2_)((*mlp_)(y)));
  }

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

#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

class PreNormBlock : public Block {
 public:
  PreNormBlock(const ResidualOptions& options, const BlockContext& context) {
    norm1_ = add("norm1", context.make_norm());
    attention_ = add("attention", context.make_attention());
    norm2_ = add("norm2", context.make_norm());
    mlp_ = add("mlp", context.make_mlp());
    branch1_ = add("branch1", std::make_shared<ResidualBranch>(options, context));
    branch2_ = add("branch2", std::make_shared<ResidualBranch>(options, context));
  }

 protected:
  Value forward(const Value& x) override {
    const Value y = x + (*branch1_)((*attention_)((*norm1_)(x)));
    return y + (*branch2_)((*mlp_)((*norm2_)(y)));
  }

 private:
  std::shared_ptr<Norm> norm1_, norm2_;
  std::shared_ptr<Attention> attention_;
  std::shared_ptr<Mlp> mlp_;
  std::shared_ptr<ResidualBranch> branch1_, branch2_;
};

VITRINE_REGISTER(Block, PreNormBlock, ResidualOptions,
                 "x + attention(norm(x)), then x + mlp(norm(x))")

}  // namespace
}  // namespace vitrine

#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

// The options of residual branches (layer_scale, drop_path, dropout), and one more.
struct Options : ResidualOptions {
  bool shared_norm = true;

  void visit(Fields& field) {
    ResidualOptions::visit(field);
    field("shared_norm", shared_norm, "whether attention and MLP read the same normalised tokens");
  }
};

// Attention and MLP side by side (Wang and Komatsuzaki 2021, "GPT-J-6B").
class ExampleBlock : public Block {
 public:
  // A block makes its parts by the context, in the order in which their parameters are to be drawn.
  ExampleBlock(const Options& options, const BlockContext& context) {
    norm1_ = add("norm1", context.make_norm());
    attention_ = add("attention", context.make_attention());
    if (!options.shared_norm) norm2_ = add("norm2", context.make_norm());
    mlp_ = add("mlp", context.make_mlp());
    branch_ = add("branch", std::make_shared<ResidualBranch>(options, context));
  }

 protected:
  Value forward(const Value& x) override {  // [N, D] -> the same
    const Value read = (*norm1_)(x);
    const Value read_by_mlp = norm2_ ? (*norm2_)(x) : read;
    return x + (*branch_)((*attention_)(read) + (*mlp_)(read_by_mlp));
  }

 private:
  std::shared_ptr<Norm> norm1_, norm2_;
  std::shared_ptr<Attention> attention_;
  std::shared_ptr<Mlp> mlp_;
  std::shared_ptr<ResidualBranch> branch_;
};

VITRINE_REGISTER(Block, ExampleBlock, Options, "x + attention(norm(x)) + mlp(norm(x))")

}  // namespace
}  // namespace vitrine

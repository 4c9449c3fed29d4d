#include "framework/model/layout.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

// What timm's VisionTransformer takes in load_state_dict(strict=True), given the same sizes,
// qkv_bias, qk_norm, init_values and norm_layer=partial(LayerNorm, eps=1e-5); its own default eps
// is 1e-6.
class TimmLayout : public Layout {
 public:
  TimmLayout(const NoOptions&, const LayoutContext& context) : context_(context) {}

  std::vector<Fits> fits() const override {
    return {{"embedding.type", {"linear_patches", "conv_patches"}, "embedding.weight"},
            {"position.type", {"sincos", "sincos_2d", "learned"}, "position.table"},
            {"attention.type", {"multi_head"}},
            {"mlp.type", {"gelu"}},
            {"norm.type", {"layer"}},
            {"block.type", {"pre_norm"}},
            {"final_norm", {true}},
            {"pooling.type", {"class_token"}},
            {"n_registers", {0}},
            {"head.type", {"linear"}, "head.weight"}};
  }

  std::vector<std::string> misfits() const override { return unless_one_task(context_); }
  std::vector<Fits> usual() const override { return {{"norm.eps", {1e-6}}}; }

  std::vector<LayoutRow> table() const override {
    return {{"tokens.*", {"cls_token"}, context_.token_shape()},
            {"position.table", {"pos_embed"}, context_.position_shape()},
            {"embedding.weight", {"patch_embed.proj.weight"}, context_.patch_shape()},
            {"embedding.bias", {"patch_embed.proj.bias"}},
            {"blocks.*.norm1.*", {"blocks.*.norm1.*"}},
            {"blocks.*.attention.qkv.*", {"blocks.*.attn.qkv.*"}},
            {"blocks.*.attention.q_norm_weight", {"blocks.*.attn.q_norm.weight"}},
            {"blocks.*.attention.q_norm_bias", {"blocks.*.attn.q_norm.bias"}},
            {"blocks.*.attention.k_norm_weight", {"blocks.*.attn.k_norm.weight"}},
            {"blocks.*.attention.k_norm_bias", {"blocks.*.attn.k_norm.bias"}},
            {"blocks.*.attention.projection.*", {"blocks.*.attn.proj.*"}},
            {"blocks.*.branch1.layer_scale", {"blocks.*.ls1.gamma"}},
            {"blocks.*.norm2.*", {"blocks.*.norm2.*"}},
            {"blocks.*.mlp.*", {"blocks.*.mlp.*"}},
            {"blocks.*.branch2.layer_scale", {"blocks.*.ls2.gamma"}},
            {"final_norm.*", {"norm.*"}},
            {"head.*", {"head.*"}}};
  }

 private:
  LayoutContext context_;
};

VITRINE_REGISTER(Layout, TimmLayout, NoOptions, "the names of timm's vision_transformer")

}  // namespace
}  // namespace vitrine

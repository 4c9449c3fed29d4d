#include <fmt/format.h>

#include "framework/registry/register.h"
#include "framework/training/layout.h"

namespace vitrine {
namespace {

// What timm's VisionTransformer takes in load_state_dict(strict=True), given the same sizes,
// qkv_bias, init_values and norm_layer=partial(LayerNorm, eps=1e-5); its own default eps is 1e-6.
class TimmLayout : public Layout {
 public:
  TimmLayout(const NoOptions&, const LayoutContext& context) : context_(context) {}

  std::vector<std::string> misfits() const override {
    auto out = misfits_of(context_.options, {{"embedding.type", {"linear_patches", "conv_patches"}},
                                             {"position.type", {"sincos", "sincos_2d", "learned"}},
                                             {"attention.type", {"multi_head"}},
                                             {"mlp.type", {"gelu"}},
                                             {"norm.type", {"layer"}},
                                             {"block.type", {"pre_norm"}},
                                             {"final_norm", {true}},
                                             {"pooling.type", {"class_token"}},
                                             {"head.type", {"linear"}}});
    if (context_.tasks.size() != 1)
      out.push_back(fmt::format("it has {} tasks, not one", context_.tasks.size()));
    return out;
  }

  std::map<std::string, Tensor> weights() const override {
    const auto& c = context_;
    auto out = renamed(c.weights, {{"tokens." + c.tasks[0], "cls_token"},
                                   {"embedding.", "patch_embed.proj."},
                                   {".attention.projection.", ".attn.proj."},
                                   {".attention.", ".attn."},
                                   {".branch1.layer_scale", ".ls1.gamma"},
                                   {".branch2.layer_scale", ".ls2.gamma"},
                                   {"final_norm.", "norm."}});
    out.erase("position.table");
    out["pos_embed"] = c.positions.unsqueeze(0);
    out["cls_token"] = out["cls_token"].unsqueeze(0);
    Tensor& patches = out["patch_embed.proj.weight"];
    patches = patches.reshape({-1, c.channels, c.height / c.rows, c.width / c.columns});
    return out;
  }

 private:
  LayoutContext context_;
};

VITRINE_REGISTER(Layout, TimmLayout, NoOptions, "the names of timm's vision_transformer")

}  // namespace
}  // namespace vitrine

#include "framework/model/layout.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

// What save_pretrained of transformers' ViTForImageClassification writes and from_pretrained
// reads, given a ViTConfig of the same sizes, qkv_bias and layer_norm_eps; its own default eps is
// 1e-12.
class HuggingfaceLayout : public Layout {
 public:
  HuggingfaceLayout(const NoOptions&, const LayoutContext& context) : context_(context) {}

  std::vector<Fits> fits() const override {
    return {{"embedding.type", {"linear_patches", "conv_patches"}, "embedding.weight"},
            {"position.type", {"sincos", "sincos_2d", "learned"}, "position.table"},
            {"attention.type", {"multi_head"}},
            {"attention.qk_norm", {false}},
            {"mlp.type", {"gelu"}},
            {"norm.type", {"layer"}},
            {"block.type", {"pre_norm"}},
            {"block.layer_scale", {nullptr}},
            {"final_norm", {true}},
            {"pooling.type", {"class_token"}},
            {"n_registers", {0}},
            {"head.type", {"linear"}, "head.weight"}};
  }

  std::vector<std::string> misfits() const override { return unless_one_task(context_); }
  std::vector<Fits> usual() const override { return {{"norm.eps", {1e-12}}}; }

  std::vector<LayoutRow> table() const override {
    const std::string embeddings = "vit.embeddings.", block = "vit.encoder.layer.*.";
    return {{"tokens.*", {embeddings + "cls_token"}, context_.token_shape()},
            {"position.table", {embeddings + "position_embeddings"}, context_.position_shape()},
            {"embedding.weight",
             {embeddings + "patch_embeddings.projection.weight"},
             context_.patch_shape()},
            {"embedding.bias", {embeddings + "patch_embeddings.projection.bias"}},
            {"blocks.*.norm1.*", {block + "layernorm_before.*"}},
            {"blocks.*.attention.qkv.*",
             {block + "attention.attention.query.*", block + "attention.attention.key.*",
              block + "attention.attention.value.*"}},
            {"blocks.*.attention.projection.*", {block + "attention.output.dense.*"}},
            {"blocks.*.norm2.*", {block + "layernorm_after.*"}},
            {"blocks.*.mlp.fc1.*", {block + "intermediate.dense.*"}},
            {"blocks.*.mlp.fc2.*", {block + "output.dense.*"}},
            {"final_norm.*", {"vit.layernorm.*"}},
            {"head.*", {"classifier.*"}}};
  }

 private:
  LayoutContext context_;
};

VITRINE_REGISTER(Layout, HuggingfaceLayout, NoOptions,
                 "the names of ViTForImageClassification of transformers")

}  // namespace
}  // namespace vitrine

#include "framework/model/layout.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

// What the tutorial's class MyViT takes in load_state_dict(strict=True).
class TutorialLayout : public Layout {
 public:
  TutorialLayout(const NoOptions&, const LayoutContext& context) : context_(context) {}

  std::vector<Fits> fits() const override {
    return {{"embedding.type", {"linear_patches"}, "embedding.weight"},
            {"position.type", {"sincos"}},
            {"attention.type", {"per_head"}},
            {"attention.output_projection", {false}},
            {"mlp.type", {"gelu"}},
            {"mlp.ratio", {4}},
            {"norm.type", {"layer"}},
            {"norm.eps", {1e-5}},
            {"block.type", {"pre_norm"}},
            {"block.layer_scale", {nullptr}},
            {"final_norm", {false}},
            {"pooling.type", {"class_token"}},
            {"n_registers", {0}},
            {"head.type", {"softmax", "linear"}, "head.weight"}};
  }

  std::vector<std::string> misfits() const override {
    auto out = unless_one_task(context_);
    if (context_.height != context_.width || context_.rows != context_.columns)
      out.push_back("its images or patches are not square");
    return out;
  }

  std::vector<LayoutRow> table() const override {
    return {{"tokens.*", {"class_token"}},
            {"embedding.*", {"linear_mapper.*"}},
            {"blocks.*.norm1.*", {"blocks.*.norm1.*"}},
            {"blocks.*.attention.q.*", {"blocks.*.mhsa.q_mappings.*"}},
            {"blocks.*.attention.k.*", {"blocks.*.mhsa.k_mappings.*"}},
            {"blocks.*.attention.v.*", {"blocks.*.mhsa.v_mappings.*"}},
            {"blocks.*.norm2.*", {"blocks.*.norm2.*"}},
            {"blocks.*.mlp.fc1.*", {"blocks.*.mlp.0.*"}},
            {"blocks.*.mlp.fc2.*", {"blocks.*.mlp.2.*"}},
            {"head.*", {"mlp.0.*"}}};
  }

 private:
  LayoutContext context_;
};

VITRINE_REGISTER(Layout, TutorialLayout, NoOptions, "the names of the tutorial's PyTorch class")

}  // namespace
}  // namespace vitrine

#include <fmt/format.h>

#include "framework/registry/register.h"
#include "framework/training/layout.h"

namespace vitrine {
namespace {

// What the tutorial's class MyViT takes in load_state_dict(strict=True).
class TutorialLayout : public Layout {
 public:
  TutorialLayout(const NoOptions&, const LayoutContext& context) : context_(context) {}

  std::vector<std::string> misfits() const override {
    auto out = misfits_of(context_.options, {{"embedding.type", {"linear_patches"}},
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
                                             {"head.type", {"softmax", "linear"}}});
    if (context_.tasks.size() != 1)
      out.push_back(fmt::format("it has {} tasks, not one", context_.tasks.size()));
    if (context_.height != context_.width || context_.rows != context_.columns) {
      out.push_back("its images or patches are not square");
    }
    return out;
  }

  std::map<std::string, Tensor> weights() const override {
    return renamed(context_.weights, {{"head.", "mlp.0."},
                                      {"tokens." + context_.tasks[0], "class_token"},
                                      {"embedding.", "linear_mapper."},
                                      {".attention.q.", ".mhsa.q_mappings."},
                                      {".attention.k.", ".mhsa.k_mappings."},
                                      {".attention.v.", ".mhsa.v_mappings."},
                                      {".mlp.fc1.", ".mlp.0."},
                                      {".mlp.fc2.", ".mlp.2."}});
  }

 private:
  LayoutContext context_;
};

VITRINE_REGISTER(Layout, TutorialLayout, NoOptions, "the names of the tutorial's PyTorch class")

}  // namespace
}  // namespace vitrine

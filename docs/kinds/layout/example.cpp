#include "framework/model/layout.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

// The names that another program gives to the weights of a vit. A layout is chosen by its name
// alone, so it has no options.
class ExampleLayout : public Layout {
 public:
  ExampleLayout(const NoOptions&, const LayoutContext& context) : context_(context) {}

  // Ours, theirs and, where it is not as ours, their shape; the first row that fits counts. It is
  // read both ways, for export and for model.weights.
  std::vector<LayoutRow> table() const override {
    return {{"tokens.*", {"class_token"}, context_.token_shape()},
            {"position.table", {"positions"}, context_.position_shape()},
            {"blocks.*.attention.*", {"layers.*.attn.*"}},
            {"blocks.*", {"layers.*"}},
            {"head.*", {"classifier.*"}},
            {"*", {"*"}}};
  }

  // What a model must be like to have an equal there.
  std::vector<Fits> fits() const override {
    return {{"block.type", {"pre_norm"}}, {"pooling.type", {"class_token"}}};
  }
  std::vector<std::string> misfits() const override { return unless_one_task(context_); }

 private:
  LayoutContext context_;
};

VITRINE_REGISTER(Layout, ExampleLayout, NoOptions, "layers, class_token and classifier")

}  // namespace
}  // namespace vitrine

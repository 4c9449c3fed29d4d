#include "framework/registry/register.h"
#include "framework/training/layout.h"

namespace vitrine {
namespace {

class NativeLayout : public Layout {
 public:
  NativeLayout(const NoOptions&, const LayoutContext& context) : context_(context) {}
  std::vector<std::string> misfits() const override { return {}; }
  std::map<std::string, Tensor> weights() const override { return context_.weights; }

 private:
  LayoutContext context_;
};

VITRINE_REGISTER(Layout, NativeLayout, NoOptions, "the model's own names")

}  // namespace
}  // namespace vitrine

#include "framework/model/layout.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

class NativeLayout : public Layout {
 public:
  NativeLayout(const NoOptions&, const LayoutContext&) {}
  std::vector<LayoutRow> table() const override { return {{"*", {"*"}}}; }
};

VITRINE_REGISTER(Layout, NativeLayout, NoOptions, "the model's own names")

}  // namespace
}  // namespace vitrine

#include "framework/model/model.h"

#include "framework/model/layout.h"
#include "framework/model/tensors.h"

namespace vitrine {

Value Model::features(const Value& /*images*/) {
  throw Error(ExitCode::kUsage, "this model tells nothing of the features that its heads read");
}

LayoutContext Model::layout_context() {
  LayoutContext out;
  out.options = Node::mapping();
  out.weights = state_of(*this);
  return out;
}

std::map<std::string, Tensor> Model::export_as(const std::string& layout) {
  return weights_in_layout(layout, layout_context());
}

}  // namespace vitrine

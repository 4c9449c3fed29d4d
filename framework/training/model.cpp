#include "framework/training/model.h"

#include "framework/training/layout.h"
#include "framework/training/tensors.h"

namespace vitrine {

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

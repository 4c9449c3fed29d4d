#include "framework/training/model.h"

#include "framework/training/layout.h"

namespace vitrine {

std::map<std::string, Tensor> Model::export_as(const std::string& layout) {
  LayoutContext context;
  context.options = Node::mapping();
  for (const auto& weight : named_parameters())
    context.weights.emplace(weight.key(), weight.value());
  return weights_in_layout(layout, context);
}

}  // namespace vitrine

#include "framework/training/model.h"

#include "framework/training/flops.h"
#include "framework/training/layout.h"

namespace vitrine {

std::vector<LayerSummary> Model::layers(const Tensor& image) {
  const bool was_training = is_training();
  eval();
  at::NoGradGuard no_grad;
  const FlopCounter flops;
  LayerSummary whole{"model", "", forward(image).at(0).sizes().slice(1).vec(), 0, 0};
  whole.flops = flops.count();
  for (const Tensor& parameter : parameters()) whole.parameters += parameter.numel();
  train(was_training);
  return {whole};
}

std::map<std::string, Tensor> Model::export_as(const std::string& layout) {
  LayoutContext context;
  context.options = Node::mapping();
  for (const auto& weight : named_parameters())
    context.weights.emplace(weight.key(), weight.value());
  return weights_in_layout(layout, context);
}

}  // namespace vitrine

#include "models/encoder/fused/binding.h"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros_like.h>
#include <fmt/format.h>

namespace vitrine::fused {
namespace {

const std::string& option(const Node& choices, const char* part, const char* name) {
  return choices.find(part)->find(name)->scalar;
}

// Undefined where there is none of that name.
Tensor find(const torch::nn::Module& module, const std::string& name) {
  const auto parameters = module.named_parameters();
  const Tensor* found = parameters.find(name);
  return found ? *found : Tensor();
}

}  // namespace

Binding::Binding(const EncoderContext& context, bool from_pixels) {
  const Parts& parts = context.parts;
  const Node& choices = parts.choices;
  net_.channels = static_cast<size_t>(context.channels);
  net_.height = static_cast<size_t>(context.height);
  net_.width = static_cast<size_t>(context.width);
  net_.rows = static_cast<size_t>(context.rows);
  net_.columns = static_cast<size_t>(context.columns);
  net_.d = static_cast<size_t>(context.hidden_d);
  net_.heads = static_cast<size_t>(context.n_heads);
  net_.tasks = static_cast<size_t>(context.n_tasks);
  net_.hidden = net_.d * std::stoul(option(choices, "mlp", "ratio"));
  net_.special_tokens.resize(parts.tokens.size());
  net_.blocks.resize(parts.blocks.size());

  if (from_pixels) bind(net_.embedding, *parts.embedding, "", net_.d, net_.patch_pixels());
  for (size_t i = 0; i < parts.tokens.size(); ++i)
    use(net_.special_tokens[i], bind(parts.tokens[i]));
  for (size_t i = 0; i < parts.blocks.size(); ++i)
    bind_block(net_.blocks[i], *parts.blocks[i], choices);
  net_.has_final_norm = parts.final_norm != nullptr;
  if (parts.final_norm) bind(net_.final_norm, *parts.final_norm, "", choices);
  if (option(choices, "pooling", "type") == "mean") net_.pooling = Pooling::kMean;
  if (option(choices, "pooling", "type") == "attention") {
    net_.pooling = Pooling::kAttention;
    bind(net_.scores, *parts.pooling, "scores.", net_.tasks, net_.d);
  }
  position_gradient_ = net_.gradient_count;
  net_.gradient_count += net_.tokens() * net_.d;
}

void Binding::bind_block(Block& block, const torch::nn::Module& module, const Node& choices) {
  bind(block.norm1, module, "norm1.", choices);
  bind(block.norm2, module, "norm2.", choices);
  if (option(choices, "attention", "type") == "per_head") {
    for (const auto& [maps, name] : {std::pair(&block.q, "q"), {&block.k, "k"}, {&block.v, "v"}}) {
      maps->resize(net_.heads);
      const size_t width = net_.d / net_.heads;
      for (size_t head = 0; head < net_.heads; ++head) {
        Linear& map = (*maps)[head];
        bind(map, module, fmt::format("attention.{}.{}.", name, head), width, width);
        map.from = map.to = head * width;
      }
    }
  } else {
    const size_t weight = bind(find(module, "attention.qkv.weight"));
    const Tensor bias = find(module, "attention.qkv.bias");
    const size_t bias_at = bias.defined() ? bind(bias) : 0;
    size_t third = 0;
    for (auto* maps : {&block.q, &block.k, &block.v}) {
      Linear& map = maps->emplace_back();
      map.out = map.in = net_.d;
      use(map.weight, weight, third * net_.d * net_.d);
      if (bias.defined()) use(map.bias, bias_at, third * net_.d);
      ++third;
    }
  }
  if (find(module, "attention.projection.weight").defined())
    bind(block.projection, module, "attention.projection.", net_.d, net_.d);
  bind(block.fc1, module, "mlp.fc1.", net_.hidden, net_.d);
  bind(block.fc2, module, "mlp.fc2.", net_.d, net_.hidden);
}

void Binding::bind(Linear& linear, const torch::nn::Module& module, const std::string& name,
                   size_t out, size_t in) {
  linear.out = out;
  linear.in = in;
  use(linear.weight, bind(find(module, name + "weight")));
  const Tensor bias = find(module, name + "bias");
  if (bias.defined()) use(linear.bias, bind(bias));
}

void Binding::bind(Norm& norm, const torch::nn::Module& module, const std::string& name,
                   const Node& choices) {
  use(norm.weight, bind(find(module, name + "weight")));
  use(norm.bias, bind(find(module, name + "bias")));
  norm.eps = std::stof(option(choices, "norm", "eps"));
}

size_t Binding::bind(const Tensor& tensor) {
  bound_.push_back({tensor, net_.gradient_count});
  net_.gradient_count += static_cast<size_t>(tensor.numel());
  return bound_.size() - 1;
}

void Binding::use(Parameter& parameter, size_t bound, size_t offset) {
  uses_.push_back({bound, offset, &parameter});
}

const Network& Binding::network(const Tensor& positions) {
  for (const Use& use : uses_) {
    const Bound& bound = bound_[use.bound];
    use.parameter->values = bound.tensor.data_ptr<float>() + use.offset;
    use.parameter->gradient =
        bound.tensor.requires_grad() ? bound.gradient + use.offset : kNoGradient;
  }
  net_.positions = {};
  if (positions.defined()) {
    net_.positions.values = positions.data_ptr<float>();
    if (positions.requires_grad()) net_.positions.gradient = position_gradient_;
  }
  return net_;
}

Tensor Binding::any_trained() const {
  for (const Bound& bound : bound_) {
    if (bound.tensor.requires_grad()) return bound.tensor;
  }
  return {};
}

void Binding::accumulate(const float* gradients) const {
  for (const Bound& bound : bound_) {
    if (!bound.tensor.requires_grad()) continue;
    Tensor& gradient = bound.tensor.mutable_grad();
    if (!gradient.defined()) gradient = at::zeros_like(bound.tensor);
    float* to = gradient.data_ptr<float>();
    const float* from = gradients + bound.gradient;
    for (int64_t i = 0; i < gradient.numel(); ++i) to[i] += from[i];
  }
}

Tensor Binding::position_gradient(const float* gradients) const {
  const auto tokens = static_cast<int64_t>(net_.tokens()), d = static_cast<int64_t>(net_.d);
  return at::from_blob(const_cast<float*>(gradients) + position_gradient_, {tokens, d}).clone();
}

}  // namespace vitrine::fused

// The two ways to execute a model, over the same weights.
#include "framework/training/backend.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <random>

#include "framework/registry/registry.h"
#include "framework/training/threads.h"
#include "tests/instruction_sets.h"
#include "tests/models/support.h"

namespace vitrine {
namespace {

struct Case {
  std::string model;  // as a config spells it
  ModelContext images;
};

// A model with both backends. Dropout draws for images whose numbers are 100, 101, ...
struct Pair {
  std::shared_ptr<Model> model;
  std::unique_ptr<Backend> layers, fused;
  std::vector<int64_t> sizes;

  explicit Pair(const Case& of) : sizes({of.images.channels, of.images.height, of.images.width}) {
    at::manual_seed(1);
    model = make_model(of.model, of.images);
    // Norms and biases too: where they are 1 and 0 a mistake would not show.
    at::NoGradGuard no_grad;
    for (auto& parameter : model->parameters()) parameter.add_(at::randn(parameter.sizes()), 0.1);
    layers = std::make_unique<Backend>(model, kLayers, sizes, "cpu");
    fused = std::make_unique<Backend>(model, kFused, sizes, "cpu");
  }
};

struct Results {
  std::vector<Tensor> outputs;
  std::map<std::string, Tensor> gradients;
};

// Forward and backward of a weighted sum of all outputs, with weights from `seed`.
Results run(Model& model, Backend& backend, const Tensor& images, uint64_t seed) {
  for (auto& parameter : model.parameters()) parameter.mutable_grad() = Tensor();
  const BatchPosition position{5, 2, at::arange(100, 100 + images.size(0))};
  Results out;
  out.outputs = backend.forward(images, &position);
  at::manual_seed(seed);
  Tensor sum = at::zeros({});
  for (Tensor& output : out.outputs) {
    sum = sum + (output * at::randn(output.sizes())).sum();
    output = output.detach();
  }
  sum.backward();
  for (const auto& item : model.named_parameters()) {
    out.gradients[item.key()] =
        item.value().grad().defined() ? item.value().grad().clone() : at::zeros_like(item.value());
  }
  return out;
}
Results run_layers(Pair& pair, const Tensor& images, uint64_t seed) {
  return run(*pair.model, *pair.layers, images, seed);
}
Results run_fused(Pair& pair, const Tensor& images, uint64_t seed) {
  return run(*pair.model, *pair.fused, images, seed);
}

double largest(const Tensor& x) { return x.numel() == 0 ? 0 : x.abs().max().item<double>(); }

// Fails with the names of what differs by more than 1e-5 of the largest.
void check_agreement(const Results& got, const Results& wanted) {
  REQUIRE(got.outputs.size() == wanted.outputs.size());
  for (size_t i = 0; i < wanted.outputs.size(); ++i) {
    const double scale = std::max(largest(wanted.outputs[i]), 1.0);
    CHECK(largest_difference(got.outputs[i], wanted.outputs[i]) <= 1e-5 * scale);
  }
  double scale = 0;
  for (const auto& [name, gradient] : wanted.gradients) scale = std::max(scale, largest(gradient));
  for (const auto& [name, gradient] : wanted.gradients) {
    CAPTURE(name);
    CHECK(largest_difference(got.gradients.at(name), gradient) <= 1e-5 * scale);
  }
}

void check_equal_bits(const Results& got, const Results& wanted) {
  for (size_t i = 0; i < wanted.outputs.size(); ++i)
    CHECK(same_bits(got.outputs[i], wanted.outputs[i]));
  for (const auto& [name, gradient] : wanted.gradients) {
    CAPTURE(name);
    CHECK(same_bits(got.gradients.at(name), gradient));
  }
}

Tensor bytes_for(const ModelContext& images, int64_t batch) {
  return at::randint(0, 256, {batch, images.channels, images.height, images.width}, at::kByte);
}

void check_model(const std::string& model, const ModelContext& images, int64_t batch = 21) {
  INFO(model << " on " << images.channels << " x " << images.height << " x " << images.width);
  Pair pair({model, images});
  for (const int64_t n : {int64_t{3}, batch})
    for (const bool training : {true, false}) {
      CAPTURE(training, n);
      const Tensor x = bytes_for(images, n);
      pair.model->train(training);
      check_agreement(run_fused(pair, x, 3), run_layers(pair, x, 3));
    }
}

const std::string kSmall = "{type: vit, n_patches: 7, n_blocks: 2, hidden_d: 8, n_heads: 2";

}  // namespace

TEST_CASE("the tutorial's model agrees") { check_model(kTutorial, images_of(1, 28, 28)); }

TEST_CASE("small") {
  for (const std::string options :
       {"mlp: swiglu",
        "norm: rms",
        "block: post_norm",
        "pooling: mean",
        "pooling: attention",
        "position: learned",
        "position: none",
        "position: sincos_2d",
        "mlp: relu",
        "mlp: squared_relu",
        "attention: {type: multi_head, qk_norm: true}",
        "attention: {type: multi_head, qkv_bias: false}",
        "position: rope",
        "n_registers: 3",
        "n_registers: 2, pooling: mean",
        "embedding: conv_stem",
        "embedding: conv_patches",
        "block: {type: pre_norm, layer_scale: 0.5, drop_path: 0.3, dropout: 0.2}",
        "mlp: {type: gelu, dropout: 0.3}",
        "attention: {type: multi_head, dropout: 0.3}",
        "head: mlp",
        "head: softmax",
        "tasks: [{name: a}, {name: b, target: {above: 4}}]",
        "tasks: [{name: a}, {name: b, target: {above: 4}}], pooling: mean",
        "final_norm: false"}) {
    check_model(kSmall + ", " + options + "}", images_of(1, 28, 28));
  }
}

TEST_CASE("others") {
  check_model("{type: mixer}", images_of(1, 28, 28));
  check_model("{type: lenet}", images_of(1, 28, 28));
}

}  // namespace vitrine

// The encoder `fused` against `layers`, over the same parameters.
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
  std::string options;  // of the model, but for its encoder
  ModelContext images;
};

std::string with_encoder(const std::string& options, const std::string& encoder) {
  return "{type: vit, encoder: " + encoder + ", " + options + "}";
}

struct Results {
  std::vector<Tensor> outputs;
  std::map<std::string, Tensor> gradients;
};

// Forward and backward of a weighted sum of all outputs, with weights from `seed`.
Results run(Model& model, const Tensor& images, uint64_t seed) {
  for (auto& parameter : model.parameters()) parameter.mutable_grad() = Tensor();
  Results out;
  out.outputs = model.forward(images);
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

// The same weights in models with both encoders.
struct Pair {
  std::shared_ptr<Model> layers, fused;

  explicit Pair(const Case& of) {
    at::manual_seed(1);
    layers = make_model(with_encoder(of.options, "layers"), of.images);
    fused = make_model(with_encoder(of.options, "fused"), of.images);
    // Norms and biases too: where they are 1 and 0 a mistake would not show.
    at::NoGradGuard no_grad;
    for (auto& parameter : layers->parameters()) parameter.add_(at::randn(parameter.sizes()), 0.1);
    copy_by_name(parameters_by_name(*layers), parameters_by_name(*fused));
  }
};

Tensor bytes_for(const ModelContext& images, int64_t batch) {
  return at::randint(0, 256, {batch, images.channels, images.height, images.width}, at::kByte);
}

const std::string kTutorialParts =
    "n_patches: 7, n_blocks: 2, hidden_d: 8, n_heads: 2, attention: per_head, final_norm: false, "
    "head: softmax";

// A random composition of all that fused knows, with sizes that fit no tile.
Case random_case(std::mt19937& generator) {
  const auto pick = [&](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(generator);
  };
  const auto one_of = [&](std::vector<std::string> names) {
    return names[static_cast<size_t>(pick(0, static_cast<int64_t>(names.size()) - 1))];
  };
  const int64_t rows = pick(1, 6), columns = pick(1, 6);
  int64_t heads = 0, width = 0;  // of fewer columns than 4 a norm makes noise
  while (heads * width < 4) heads = pick(1, 4), width = pick(1, 9);
  Case out;
  out.images = images_of(pick(1, 4), rows * pick(1, 5), columns * pick(1, 6), pick(2, 11));
  const int64_t d = heads * width;
  const bool even = d % 4 == 0;
  out.options = fmt::format(
      "n_patches: [{}, {}], hidden_d: {}, n_heads: {}, n_blocks: {}, embedding: {}, position: {}, "
      "attention: {}, mlp: {{type: gelu, ratio: {}}}, norm: {{type: layer, eps: {}}}, final_norm: "
      "{}, pooling: {}, tasks: {}",
      rows, columns, d, heads, pick(1, 3), one_of({"linear_patches", "conv_patches"}),
      one_of(even ? std::vector<std::string>{"sincos", "sincos_2d", "learned", "none"}
                  : std::vector<std::string>{"sincos", "learned", "none"}),
      one_of({"per_head", "{type: per_head, output_projection: true}", "multi_head",
              "{type: multi_head, qkv_bias: false}"}),
      pick(1, 4), one_of({"1e-5", "1e-3"}), one_of({"true", "false"}),
      one_of({"class_token", "mean", "attention"}),
      one_of({"[]", "[{name: a}, {name: b, target: {above: 0}}]"}));
  return out;
}

}  // namespace

TEST_CASE("fused agrees with layers over random compositions and shapes") {
  std::mt19937 generator(7);
  for (int i = 0; i < 60; ++i) {
    const Case tested = random_case(generator);
    INFO(tested.options << " on " << tested.images.channels << " x " << tested.images.height
                        << " x " << tested.images.width);
    Pair pair(tested);
    const int64_t batch = std::uniform_int_distribution<int64_t>(1, 40)(generator);
    CAPTURE(batch);
    const Tensor bytes = bytes_for(tested.images, batch);
    const Tensor images = i % 3 == 0 ? bytes.to(at::kFloat) / 100 - 1 : bytes;
    check_agreement(run(*pair.fused, images, 3), run(*pair.layers, images, 3));
    pair.fused->eval();
    pair.layers->eval();
    at::NoGradGuard no_grad;
    const auto got = pair.fused->forward(images), wanted = pair.layers->forward(images);
    for (size_t task = 0; task < wanted.size(); ++task) {
      CHECK(largest_difference(got[task], wanted[task]) <=
            1e-5 * std::max(largest(wanted[task]), 1.0));
    }
  }
}

TEST_CASE("fused agrees with layers on wide models") {
  for (const int64_t d : {64, 192}) {
    CAPTURE(d);
    const Case wide{fmt::format("n_patches: 7, n_blocks: 2, hidden_d: {}, n_heads: 4", d),
                    images_of(1, 28, 28)};
    Pair pair(wide);
    const Tensor images = bytes_for(wide.images, 20);
    check_agreement(run(*pair.fused, images, 3), run(*pair.layers, images, 3));
  }
}

TEST_CASE("fused starts at the tokens of an embedding that it does not know") {
  const Case stem{
      "n_patches: 7, n_blocks: 2, hidden_d: 8, n_heads: 2, embedding: conv_stem, "
      "position: learned",
      images_of(3, 28, 28)};
  Pair pair(stem);
  const Tensor images = bytes_for(stem.images, 21);
  check_agreement(run(*pair.fused, images, 3), run(*pair.layers, images, 3));
  CHECK_FALSE(pair.fused->has_own_threads());
}

TEST_CASE("every instruction set of this processor agrees with layers") {
  const Case tutorial{kTutorialParts, images_of(1, 28, 28)};
  Pair pair(tutorial);
  const Tensor images = bytes_for(tutorial.images, 37);
  const Results wanted = run(*pair.layers, images, 3);
  with_each_instruction_set([&] { check_agreement(run(*pair.fused, images, 3), wanted); });
}

TEST_CASE("the bits of fused do not depend on the number of threads") {
  for (const std::string& options : {kTutorialParts, std::string("n_patches: 4, n_blocks: 1, "
                                                                 "hidden_d: 64, n_heads: 4")}) {
    const Case tested{options, images_of(1, 28, 28)};
    Pair pair(tested);
    CHECK(pair.fused->has_own_threads());
    const int before = compute_threads();
    for (const int64_t batch : {5, 128, 700}) {
      CAPTURE(batch);
      const Tensor images = bytes_for(tested.images, batch);
      set_compute_threads(1);
      const Results alone = run(*pair.fused, images, 3);
      for (const int threads : {2, 3, 7}) {
        CAPTURE(threads);
        set_compute_threads(threads);
        at::set_num_threads(1);
        check_equal_bits(run(*pair.fused, images, 3), alone);
      }
    }
    set_compute_threads(before);
  }
}

TEST_CASE("gradients of fused add up, and several batches may wait for backward") {
  const Case tutorial{kTutorialParts, images_of(1, 28, 28)};
  Pair pair(tutorial);
  const Tensor first = bytes_for(tutorial.images, 20), second = bytes_for(tutorial.images, 33);
  std::map<std::string, Tensor> sums = run(*pair.layers, first, 3).gradients;
  for (auto& [name, gradient] : run(*pair.layers, second, 3).gradients) sums[name] += gradient;

  for (auto& parameter : pair.fused->parameters()) parameter.mutable_grad() = Tensor();
  const Tensor one = pair.fused->forward(first)[0], two = pair.fused->forward(second)[0];
  at::manual_seed(3);
  const Tensor for_one = at::randn(one.sizes());
  at::manual_seed(3);
  const Tensor for_two = at::randn(two.sizes());
  (one * for_one).sum().backward();
  (two * for_two).sum().backward();
  double scale = 0;
  for (const auto& [name, gradient] : sums) scale = std::max(scale, largest(gradient));
  for (const auto& [name, parameter] : parameters_by_name(*pair.fused)) {
    CAPTURE(name);
    CHECK(largest_difference(parameter.grad(), sums.at(name)) <= 1e-5 * scale);
  }
}

TEST_CASE("fused leaves frozen parameters without a gradient") {
  const Case tutorial{kTutorialParts, images_of(1, 28, 28)};
  Pair pair(tutorial);
  for (Model* model : {pair.layers.get(), pair.fused.get()}) {
    for (const auto& item : model->named_parameters()) {
      if (item.key().starts_with("blocks.0.") || item.key().starts_with("embedding."))
        Tensor(item.value()).set_requires_grad(false);
    }
  }
  const Tensor images = bytes_for(tutorial.images, 20);
  check_agreement(run(*pair.fused, images, 3), run(*pair.layers, images, 3));
  for (const auto& item : pair.fused->named_parameters()) {
    CAPTURE(item.key());
    CHECK(item.value().grad().defined() == item.value().requires_grad());
  }
}

TEST_CASE("fused, named by the config, says what it does not know") {
  CHECK(problems_of_model("{type: vit, encoder: fused, mlp: swiglu, norm: rms, block: {type: "
                          "pre_norm, dropout: 0.1}}",
                          images_of(1, 28, 28)) ==
        "test.yaml:1:29: model.encoder: fused knows no block.dropout 0.1, mlp swiglu, norm rms; "
        "layers serves every model\n    1 | model: {type: vit, encoder: fused, mlp: swiglu, norm: "
        "rms, block: {type: pre_norm, dropout: 0.1}}\n      |                             ^");
}

}  // namespace vitrine

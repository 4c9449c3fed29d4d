// The numbers behind the pictures of a model.
#include <fmt/format.h>

#include <cmath>

#include "framework/model/plot.h"
#include "framework/registry/registry.h"
#include "models/parts.h"
#include "models/patches.h"
#include "models/plot/attention/maps.h"
#include "tests/component.h"
#include "tests/framework/drawing/svg.h"
#include "tests/models/support.h"

namespace vitrine {
namespace {

constexpr const char* kPoolings[] = {"class_token", "mean", "attention"};

Tensor pixels_of(int64_t channels, int64_t height, int64_t width) {
  return at::randint(0, 256, {1, channels, height, width}, at::kByte);
}

AttentionMaps maps_of(const std::shared_ptr<Model>& model, const Tensor& pixels, int64_t task) {
  const PlotContext context = {model, pixels.sizes().slice(1).vec(), {}};
  return attention_maps(*model, pixels, task, patching_of(recording_of(context)));
}

// Of an image as the model takes it, without what stands in front of it.
Tensor only_value(Model& model, const Tensor& pixels, const std::string& name) {
  const auto found = named_values(model, pixels, name);
  REQUIRE(found.size() == 1);
  return found[0].second[0];
}

std::string refusal(const std::string& plot, const PlotContext& context) {
  try {
    make<Plot>(plot, context)->draw();
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kUsage);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("attention maps are the softmax of queries with keys, as written out here") {
  torch::manual_seed(1);
  const at::NoGradGuard no_grad;
  const auto model = make_model(kTutorial, images_of(1, 28, 28));
  const Tensor pixels = pixels_of(1, 28, 28);
  const auto weights = parameters_by_name(*model);
  const AttentionMaps maps = maps_of(model, pixels, 0);
  REQUIRE(maps.heads.sizes() == at::IntArrayRef({2, 2, 7, 7}));
  REQUIRE(maps.rollout.sizes() == at::IntArrayRef({2, 7, 7}));

  Tensor tokens = at::zeros({50, 8});
  tokens[0] = weights.at("tokens.class")[0];
  const Tensor image = pixels[0][0].to(at::kFloat) / 255;
  for (int64_t i = 0; i < 49; ++i) {
    const Tensor patch = image.narrow(0, i / 7 * 4, 4).narrow(1, i % 7 * 4, 4).flatten();
    tokens[i + 1] = at::mv(weights.at("embedding.weight"), patch) + weights.at("embedding.bias");
  }
  for (int64_t i = 0; i < 50; ++i) {
    for (int64_t d = 0; d < 8; ++d) {
      const double angle =
          static_cast<double>(i) / std::pow(10'000, static_cast<double>(d / 2 * 2) / 8);
      tokens[i][d] += d % 2 == 0 ? std::sin(angle) : std::cos(angle);
    }
  }
  const Tensor centred = tokens - tokens.mean(1, true);
  const Tensor normed = centred / (centred.square().mean(1, true) + 1e-5).sqrt() *
                            weights.at("blocks.0.norm1.weight") +
                        weights.at("blocks.0.norm1.bias");
  for (int64_t head = 0; head < 2; ++head) {
    const auto mapped = [&](const char* part, const Tensor& x) {
      const std::string name =
          std::string("blocks.0.attention.") + part + "." + std::to_string(head) + ".";
      return at::matmul(x.narrow(1, 4 * head, 4), weights.at(name + "weight").t()) +
             weights.at(name + "bias");
    };
    const Tensor scores = at::mv(mapped("k", normed), mapped("q", normed)[0]) / 2;  // sqrt(4)
    const Tensor shares = scores.exp() / scores.exp().sum();
    CHECK(largest_difference(maps.heads[0][head].flatten(), shares.narrow(0, 1, 49)) < 1e-5);
  }
}

TEST_CASE("rollout multiplies half the attention and half the identity of each block") {
  // By hand: blocks [[1, 0], [1/4, 3/4]] and [[3/5, 2/5], [0, 1]] after mixing; their product.
  const Tensor first = at::tensor({1.0F, 0.0F, 0.5F, 0.5F}).view({1, 2, 2});
  const Tensor second =  // two heads, whose mean is [[1/5, 4/5], [0, 1]]
      at::tensor({0.4F, 0.6F, 0.0F, 1.0F, 0.0F, 1.0F, 0.0F, 1.0F}).view({2, 2, 2});
  const Tensor rollout = attention_rollout({first, second});
  CHECK(largest_difference(rollout[0], at::tensor({1.0F, 0.0F, 0.25F, 0.75F}).view({2, 2})) < 1e-6);
  CHECK(largest_difference(rollout[1], at::tensor({0.7F, 0.3F, 0.25F, 0.75F}).view({2, 2})) < 1e-6);
}

TEST_CASE("without a special token all attention goes to patches, weighed as pooling weighs them") {
  torch::manual_seed(2);
  const at::NoGradGuard no_grad;
  for (const char* pooling : {"mean", "attention"}) {
    for (const char* attention : {"multi_head", "per_head"}) {
      for (const char* block : {"pre_norm", "post_norm"}) {
        CAPTURE(pooling, attention, block);
        const auto model = make_model(
            fmt::format("{{type: vit, n_patches: [2, 3], n_blocks: 3, hidden_d: 8, n_heads: 4, "
                        "attention: {}, block: {}, pooling: {}}}",
                        attention, block, pooling),
            images_of(3, 8, 12));
        const AttentionMaps maps = maps_of(model, pixels_of(3, 8, 12), 0);
        REQUIRE(maps.heads.sizes() == at::IntArrayRef({3, 4, 2, 3}));
        CHECK(largest_difference(maps.heads.sum({2, 3}), at::ones({3, 4})) < 1e-5);
        CHECK(largest_difference(maps.rollout.sum({1, 2}), at::ones({3})) < 1e-5);
      }
    }
  }
}

TEST_CASE("each task's maps are those of its own token") {
  torch::manual_seed(3);
  const at::NoGradGuard no_grad;
  const auto model = make_model(
      "{type: vit, n_patches: 2, n_blocks: 1, hidden_d: 8, n_heads: 2, tasks: [{name: digit}, "
      "{name: big, target: {above: 5}}]}",
      images_of(1, 8, 8));
  const Tensor pixels = pixels_of(1, 8, 8);
  const Tensor all =
      only_value(*model, pixels, "attention.probabilities").view({2, 6, 6});  // of both heads
  for (int64_t task = 0; task < 2; ++task) {
    const AttentionMaps maps = maps_of(model, pixels, task);
    CHECK(largest_difference(maps.heads[0].flatten(1), all.select(1, task).narrow(1, 2, 4)) < 1e-6);
    const Tensor half = all.mean(0)[task].narrow(0, 2, 4) / 2;  // patches are none of its own half
    CHECK(largest_difference(maps.rollout[0].flatten(), half) < 1e-6);
  }
}

TEST_CASE("a pooling's shares are what it pools with") {
  torch::manual_seed(4);
  const at::NoGradGuard no_grad;
  for (const char* name : kPoolings) {
    CAPTURE(name);
    const auto model = make_model(
        fmt::format(
            "{{type: vit, n_patches: [2, 3], n_blocks: 1, hidden_d: 8, n_heads: 2, pooling: "
            "{}, tasks: [{{name: a}}, {{name: b}}]}}",
            name),
        images_of(1, 8, 12));
    const Tensor shares = only_value(*model, pixels_of(1, 8, 12), "pooling.shares");
    const int64_t read = std::string(name) == "class_token" ? 8 : 6;
    REQUIRE(shares.sizes() == at::IntArrayRef({2, read}));
    CHECK(largest_difference(shares.sum(1), at::ones({2})) < 1e-6);
  }
}

TEST_CASE("an embedding's filters are what a pixel of a patch adds to its token") {
  torch::manual_seed(5);
  const at::NoGradGuard no_grad;
  PartContext context;
  context.channels = 2, context.height = 6, context.width = 8;
  context.rows = 3, context.columns = 2, context.hidden_d = 5;
  for (const char* name : {"linear_patches", "conv_patches"}) {
    CAPTURE(name);
    const auto model = make_model(
        fmt::format(
            "{{type: vit, n_patches: [3, 2], n_blocks: 1, hidden_d: 5, n_heads: 1, embedding: "
            "{}}}",
            name),
        images_of(2, 6, 8));
    const PlotContext of_model = {model, {2, 6, 8}, {}};
    const auto numbers = make<Plot>("embedding", of_model)->draw().numbers();
    const auto filters = numbers.at("values");  // of each filter [2, 2, 4]
    REQUIRE(filters.size() == 5);
    // The same part by itself, with the model's weights.
    const auto embedding = make<Embedding>(name, context);
    std::map<std::string, Tensor> weights;
    for (const auto& [key, value] : parameters_by_name(*model)) {
      if (key.starts_with("embedding.")) weights.emplace(key.substr(10), value);
    }
    copy_by_name(weights, parameters_by_name(*embedding));
    const Tensor dark = at::zeros({1, 2, 6, 8});
    Tensor lit = dark.clone();
    lit[0][1][3][6] = 1;  // channel 1, pixel (1, 2) of the patch in row 1, column 1
    const Tensor added = ((*embedding)(lit).tensor() - (*embedding)(dark).tensor())[0][3];
    for (int64_t i = 0; i < 5; ++i) {
      const double filter = filters[static_cast<size_t>(i)][1][1][2].get<double>();
      CHECK(std::abs(added[i].item<double>() - filter) < 1e-6);
    }
  }
}

TEST_CASE("positions call each token by its name") {
  const at::NoGradGuard no_grad;
  const auto texts_of = [](const std::string& model) {
    const auto texts = svg_texts(
        to_svg(make<Plot>("positions", {make_model(model, images_of(1, 28, 28)), {1, 28, 28}, {}})
                   ->draw()));
    return std::vector<std::string>(texts.begin(), std::find(texts.begin(), texts.end(), "token"));
  };
  const auto has = [](const std::vector<std::string>& texts, const char* text) {
    return std::find(texts.begin(), texts.end(), text) != texts.end();
  };
  const auto tasks = texts_of(
      "{type: vit, n_patches: 7, position: learned, tasks: [{name: digit}, {name: above_five, "
      "target: {above: 5}}]}");
  CHECK(tasks[0] == "Position embeddings (learned)");
  for (const char* name : {"digit", "above_five", "row 0", "row 6"}) CHECK(has(tasks, name));
  const auto columns = texts_of("{type: vit, n_patches: [1, 4], pooling: mean}");
  for (const char* name : {"column 0", "column 3"}) CHECK(has(columns, name));
  CHECK_FALSE(has(columns, "class"));
}

TEST_CASE("filters in colour have a bar of greys, and those that are no numbers are told of") {
  torch::manual_seed(6);
  const at::NoGradGuard no_grad;
  const auto model = make_model("{type: vit, n_patches: 2, hidden_d: 8}", images_of(3, 8, 8));
  parameters_by_name(*model).at("embedding.weight").view({-1}).narrow(0, 0, 3).fill_(NAN);
  const Picture picture = make<Plot>("embedding", {model, {3, 8, 8}, {}})->draw();
  CHECK(picture.title == "Filters of the embedding (linear_patches)");
  REQUIRE(picture.notes.size() == 3);
  CHECK(picture.notes[2] == "Without meaning: 3 weights that are no finite numbers.");
  const auto texts = svg_texts(to_svg(picture));
  // Fonts decide where it is wrapped.
  std::string together;
  for (const std::string& text : texts) together += text + " ";
  CHECK_THAT(together, Contains("weight (no unit) "));
  const nlohmann::ordered_json numbers = picture.numbers();
  CHECK(numbers.at("values").size() == 8);
  CHECK(numbers.at("values")[0].size() == 3);
  CHECK(numbers.at("values")[0][0][0][0].is_null());
  CHECK(numbers.at("values")[7][2][3][3].is_number());
}

// A model that computes with libtorch itself.
class Opaque : public Model {
 public:
  std::vector<Value> forward(const Value& images) override {
    return {images.tensor().to(at::kFloat).mean({2, 3}).unsqueeze(1)};
  }
  const std::vector<Task>& tasks() const override { return tasks_; }

 private:
  std::vector<Task> tasks_;
};

TEST_CASE("plots say what a model lacks") {
  for (const char* plot : {"attention", "embedding", "similarity"}) {
    CAPTURE(plot);
    CHECK(refusal(plot, {}) == "this picture is of a trained model: give a run after its name");
    CHECK_THAT(refusal(plot, {std::make_shared<Opaque>(), {1, 8, 8}, {}}),
               StartsWith("nobody can look into the run's model: the model computes with libtorch "
                          "itself (") &&
                   Contains("plots_test.cpp:"));
  }
  const auto bare = make_model("{type: vit, position: none}", images_of(1, 28, 28));
  const PlotContext of_bare = {bare, {1, 28, 28}, {}};
  CHECK(refusal("similarity", of_bare) == "the model adds no positions that could be shown");
  CHECK(refusal("positions", of_bare) == "the model adds no positions that could be shown");
  const auto mixer = make_model("{type: mixer}", images_of(1, 28, 28));
  CHECK(refusal("attention", {mixer, {1, 28, 28}, {}}) ==
        "the model has no attention that could be shown");
  CHECK(refusal("positions", {mixer, {1, 28, 28}, {}}) ==
        "the model adds no positions that could be shown");
  CHECK(refusal("positions", {}) == "");
}

TEST_CASE("every plot draws every model, or says what it lacks") {
  for (const std::string& type : Registry::instance().names(Model::kKind)) {
    const auto model = make_model("{type: " + type + "}", images_of(1, 28, 28));
    model->eval();
    const PlotContext context = {model, {1, 28, 28}, [](const std::vector<std::string>&) {
                                   const Tensor pixels = pixels_of(1, 28, 28);
                                   return std::vector<PlotImage>{{"0", {}, pixels, pixels}};
                                 }};
    for (const std::string& plot : Registry::instance().names(Plot::kKind)) {
      CAPTURE(type, plot);
      CHECK_NOTHROW(refusal(plot, context));  // which checks that it is the user's error
    }
  }
}

}  // namespace vitrine

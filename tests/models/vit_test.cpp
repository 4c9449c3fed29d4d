#include <algorithm>
#include <numeric>

#include "framework/config/yaml.h"
#include "framework/error.h"
#include "framework/model/recording.h"
#include "tests/models/support.h"

namespace vitrine {
namespace {

std::string problems(const std::string& options,
                     const ModelContext& images = images_of(1, 28, 28)) {
  return problems_of_model("{type: vit, " + options + "}", images);
}

std::vector<std::string> names(const Model& model) {
  std::vector<std::string> out;
  for (const auto& item : model.named_parameters()) out.push_back(item.key());
  return out;
}

}  // namespace

TEST_CASE("sizes that do not divide are errors in words, with both places") {
  CHECK(problems("hidden_d: 8, n_heads: 3") ==
        "test.yaml:1:30: model: hidden_d (8) must be divisible by n_heads (3)\n"
        "    1 | model: {type: vit, hidden_d: 8, n_heads: 3}\n"
        "      |                              ^ n_heads is at test.yaml:1:42");
  CHECK(problems("n_heads: 3") ==
        "test.yaml:1:29: model: hidden_d (64) must be divisible by n_heads (3)\n"
        "    1 | model: {type: vit, n_heads: 3}\n"
        "      |                             ^ hidden_d is a default");
  CHECK(problems("n_patches: 5") ==
        "test.yaml:1:31: model: the image height (28) must be divisible by n_patches (5)\n"
        "    1 | model: {type: vit, n_patches: 5}\n"
        "      |                               ^");
  CHECK(problems("n_patches: [5, 7]") ==
        "test.yaml:1:31: model: the image height (28) must be divisible by the rows of n_patches "
        "(5)\n"
        "    1 | model: {type: vit, n_patches: [5, 7]}\n"
        "      |                               ^");
  CHECK(problems("n_patches: 7", images_of(1, 28, 30)) ==
        "test.yaml:1:31: model: the image width (30) must be divisible by n_patches (7)\n"
        "    1 | model: {type: vit, n_patches: 7}\n"
        "      |                               ^");
  CHECK(problems("n_patches: [2, 2, 2]") ==
        "test.yaml:1:31: model: n_patches has 3 entries: write N, or [rows, columns]\n"
        "    1 | model: {type: vit, n_patches: [2, 2, 2]}\n"
        "      |                               ^");
}

TEST_CASE("what a part needs is checked with the model's sizes") {
  CHECK(problems("embedding: conv_stem, n_patches: [4, 7]") ==
        "test.yaml:1:31: model.embedding: conv_stem needs square patches whose side is a power of "
        "two, but they are 7 x 4 pixels\n"
        "    1 | model: {type: vit, embedding: conv_stem, n_patches: [4, 7]}\n"
        "      |                               ^");
  CHECK(problems("position: sincos_2d, hidden_d: 6, n_heads: 2") ==
        "test.yaml:1:30: model.position: sincos_2d needs a hidden_d (6) that is divisible by 4\n"
        "    1 | model: {type: vit, position: sincos_2d, hidden_d: 6, n_heads: 2}\n"
        "      |                              ^");
  CHECK(problems("n_blocks: 1, block: {type: pre_norm, drop_path: 0.1}") ==
        "test.yaml:1:57: model.block.drop_path has no effect: it rises from 0 in the first block, "
        "which is the only one\n"
        "    1 | model: {type: vit, n_blocks: 1, block: {type: pre_norm, drop_path: 0.1}}\n"
        "      |                                                         ^ remove it");
}

TEST_CASE("tasks must make sense") {
  CHECK(problems("tasks: [{name: a b}]") ==
        "test.yaml:1:35: model.tasks.0: a task needs a name of letters, digits, _ and -\n"
        "    1 | model: {type: vit, tasks: [{name: a b}]}\n"
        "      |                                   ^");
  CHECK(problems("tasks: [{name: a}, {name: a}]") ==
        "test.yaml:1:46: model.tasks.1: another task is named \"a\" too\n"
        "    1 | model: {type: vit, tasks: [{name: a}, {name: a}]}\n"
        "      |                                              ^");
  CHECK(problems("tasks: [{name: a, target: {above: 9}}]") ==
        "test.yaml:1:46: model.tasks.0: \"above 9\" can never happen: the classes are numbered 0 "
        "to 9\n"
        "    1 | model: {type: vit, tasks: [{name: a, target: {above: 9}}]}\n"
        "      |                                              ^");
  CHECK(problems("head: mlp, tasks: [{name: a, head: linear}]") ==
        "test.yaml:1:20: model.head has no effect: every task names its own head\n"
        "    1 | model: {type: vit, head: mlp, tasks: [{name: a, head: linear}]}\n"
        "      |                    ^ remove it");
}

TEST_CASE("a resolved model makes the same model again") {
  const std::string yaml =
      "{type: vit, n_patches: [4, 7], n_blocks: 1, tasks: [{name: a, head: mlp}, {name: b, head: "
      "softmax, target: {above: 5}}]}";
  const std::string resolved = to_flow_yaml(resolved_model(yaml));
  CHECK(problems_of_model(resolved, images_of(1, 28, 28)) == "");
  CHECK(to_flow_yaml(resolved_model(resolved)) == resolved);
  CHECK(names(*make_model(resolved, images_of(1, 28, 28))) ==
        names(*make_model(yaml, images_of(1, 28, 28))));
}

TEST_CASE("parameters are named after the parts") {
  const auto tutorial = make_model(kTutorial, images_of(1, 28, 28));
  const auto found = names(*tutorial);
  CHECK(found.size() == 45);
  CHECK(std::vector<std::string>(found.begin(), found.begin() + 7) ==
        std::vector<std::string>{"embedding.weight", "embedding.bias", "tokens.class",
                                 "blocks.0.norm1.weight", "blocks.0.norm1.bias",
                                 "blocks.0.attention.q.0.weight", "blocks.0.attention.q.0.bias"});
  CHECK(std::vector<std::string>(found.end() - 6, found.end()) ==
        std::vector<std::string>{"blocks.1.mlp.fc1.weight", "blocks.1.mlp.fc1.bias",
                                 "blocks.1.mlp.fc2.weight", "blocks.1.mlp.fc2.bias", "head.weight",
                                 "head.bias"});
}

TEST_CASE("several tasks have their own tokens, heads and targets") {
  const auto model = make_model(
      "{type: vit, tasks: [{name: digit}, {name: above_five, weight: 0.5, head: softmax, target: "
      "{above: 5}}]}",
      images_of(1, 28, 28));
  const auto found = names(*model);
  for (const char* name :
       {"tokens.digit", "tokens.above_five", "heads.digit.weight", "heads.above_five.bias"}) {
    CHECK(std::count(found.begin(), found.end(), name) == 1);
  }
  const auto& tasks = model->tasks();
  REQUIRE(tasks.size() == 2);
  CHECK(tasks[0].outputs() == 10);
  CHECK_FALSE(tasks[0].probabilities);
  CHECK(tasks[1].name == "above_five");
  CHECK(tasks[1].weight == 0.5);
  CHECK(tasks[1].probabilities);
  CHECK(tasks[1].names == std::vector<std::string>{"not above 5", "above 5"});
  CHECK(tasks[1].target_of_label == std::vector<int64_t>{0, 0, 0, 0, 0, 0, 1, 1, 1, 1});
  const auto out = outputs_of(model, at::rand({3, 1, 28, 28}));
  REQUIRE(out.size() == 2);
  CHECK(out[0].sizes().vec() == std::vector<int64_t>{3, 10});
  CHECK(out[1].sizes().vec() == std::vector<int64_t>{3, 2});
}

TEST_CASE("bytes are pixels of which 255 is 1") {
  const auto model = make_model(kTutorial, images_of(1, 28, 28));
  const Tensor bytes = at::randint(0, 256, {4, 1, 28, 28}, at::kByte);
  for (const char* way : {kLayers, kFused}) {
    CAPTURE(way);
    CHECK(same_bits(outputs_of(model, bytes, way).at(0),
                    outputs_of(model, bytes.to(at::kFloat) / 255, way).at(0)));
  }
}

TEST_CASE("dropout, stochastic depth and attention dropout act in training only") {
  const auto model = make_model(
      "{type: vit, block: {type: pre_norm, layer_scale: 0.5, drop_path: 0.5, dropout: 0.5}, "
      "attention: {type: multi_head, "
      "dropout: 0.5}, mlp: {type: gelu, dropout: 0.5}}",
      images_of(1, 28, 28));
  const Tensor images = at::rand({4, 1, 28, 28});
  for (const char* way : {kLayers, kFused}) {
    CAPTURE(way);
    model->train();
    CHECK_FALSE(same_bits(outputs_of(model, images, way)[0], outputs_of(model, images, way)[0]));
    model->eval();
    CHECK(same_bits(outputs_of(model, images, way)[0], outputs_of(model, images, way)[0]));
  }
}

TEST_CASE("the summary counts the tutorial's model as by hand") {
  const auto model = make_model(kTutorial, images_of(1, 28, 28));
  const auto rows = layers_of(*model, {1, 28, 28});
  CHECK(model->is_training());
  REQUIRE(rows.size() == 7);
  const auto row = [&](size_t i, std::string name, std::string type, std::vector<int64_t> shape,
                       int64_t parameters, int64_t flops) {
    CAPTURE(i);
    CHECK(rows[i].name == name);
    CHECK(rows[i].type == type);
    CHECK(rows[i].shape == shape);
    CHECK(rows[i].parameters == parameters);
    CHECK(rows[i].flops == flops);
  };
  row(0, "embedding", "linear_patches", {49, 8}, 136, 2 * 49 * 16 * 8);
  row(1, "tokens", "learned", {50, 8}, 8, 0);
  row(2, "position", "sincos", {50, 8}, 0, 0);
  // q, k, v of 2 heads; scores and values; two linear layers.
  row(3, "blocks.0", "pre_norm", {50, 8}, 704,
      50 * 3 * 2 * 2 * 16 + 2 * 2 * 2 * 50 * 50 * 4 + 2 * 50 * 2 * 8 * 32);
  // The last block computes the class token alone.
  row(4, "blocks.1", "pre_norm", {50, 8}, 704,
      (50 * 2 + 1) * 2 * 2 * 16 + 2 * 2 * 2 * 50 * 4 + 2 * 2 * 8 * 32);
  row(5, "pooling", "class_token", {1, 8}, 0, 0);
  row(6, "head", "softmax", {1, 10}, 90, 2 * 8 * 10);
}

TEST_CASE("the last block computes the tokens that the pooling reads, and no other") {
  const auto last_block = [](const std::string& options) {
    const auto model = make_model(
        "{type: vit, n_blocks: 2, hidden_d: 8, n_heads: 2, " + options + "}", images_of(1, 28, 28));
    for (const LayerSummary& row : layers_of(*model, {1, 28, 28})) {
      if (row.name == "blocks.1") return row.flops;
    }
    return int64_t{0};
  };
  // Of q, k, v in one linear layer q is computed for fewer tokens.
  const auto flops = [](int64_t read, int64_t tokens) {
    const int64_t q = read * 2 * 8 * 8, kv = tokens * 2 * 8 * 16, attention = 4 * read * tokens * 8;
    return q + kv + attention + read * 2 * 8 * 8 + read * 2 * 2 * 8 * 32;
  };
  CHECK(last_block("pooling: class_token") == flops(1, 50));
  CHECK(last_block("tasks: [{name: a}, {name: b}]") == flops(2, 51));
  CHECK(last_block("pooling: mean") == flops(49, 49));
  CHECK(last_block("n_registers: 3") == flops(1, 53));
  CHECK(last_block("n_registers: 3, pooling: mean") == flops(49, 52));
}

TEST_CASE("registers are learned tokens before the patches that no task reads") {
  const auto model = make_model(
      "{type: vit, n_patches: 7, hidden_d: 8, n_heads: 2, n_registers: 2, position: learned}",
      images_of(1, 28, 28));
  const auto parameters = parameters_by_name(*model);
  for (const char* name : {"tokens.class", "tokens.+register_0", "tokens.+register_1"}) {
    CAPTURE(name);
    REQUIRE(parameters.contains(name));
    CHECK(parameters.at(name).sizes() == at::IntArrayRef({1, 8}));
  }
  CHECK(parameters.at("position.table").size(0) == 52);
  const Tensor images = at::rand({2, 1, 28, 28});
  const auto shares = named_values(*model, images, "pooling.shares");
  REQUIRE(shares.size() == 1);
  CHECK(shares[0].second.size(2) == 50);  // without the registers
}

TEST_CASE("timm's names and shapes") {
  const auto model =
      make_model("{type: vit, hidden_d: 12, n_heads: 3, n_blocks: 1, n_patches: [4, 2]}",
                 images_of(3, 16, 24, 5));
  std::map<std::string, std::vector<int64_t>> shapes;
  for (const auto& [name, value] : model->export_as("timm")) shapes[name] = value.sizes().vec();
  CHECK(shapes ==
        std::map<std::string, std::vector<int64_t>>{{"cls_token", {1, 1, 12}},
                                                    {"pos_embed", {1, 9, 12}},
                                                    {"patch_embed.proj.weight", {12, 3, 4, 12}},
                                                    {"patch_embed.proj.bias", {12}},
                                                    {"blocks.0.norm1.weight", {12}},
                                                    {"blocks.0.norm1.bias", {12}},
                                                    {"blocks.0.attn.qkv.weight", {36, 12}},
                                                    {"blocks.0.attn.qkv.bias", {36}},
                                                    {"blocks.0.attn.proj.weight", {12, 12}},
                                                    {"blocks.0.attn.proj.bias", {12}},
                                                    {"blocks.0.norm2.weight", {12}},
                                                    {"blocks.0.norm2.bias", {12}},
                                                    {"blocks.0.mlp.fc1.weight", {48, 12}},
                                                    {"blocks.0.mlp.fc1.bias", {48}},
                                                    {"blocks.0.mlp.fc2.weight", {12, 48}},
                                                    {"blocks.0.mlp.fc2.bias", {12}},
                                                    {"norm.weight", {12}},
                                                    {"norm.bias", {12}},
                                                    {"head.weight", {5, 12}},
                                                    {"head.bias", {5}}});
}

TEST_CASE("a layout refuses what it has no equal of") {
  const auto refusal = [](const std::string& yaml, const std::string& layout) {
    try {
      make_model(yaml, images_of(1, 28, 28))->export_as(layout);
    } catch (const Error& error) {
      CHECK(error.code() == ExitCode::kUsage);
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(refusal("{type: vit, n_patches: [4, 7]}", "tutorial") ==
        "the layout \"tutorial\" has no equal of this model: attention.type is multi_head, not "
        "per_head; final_norm is true, not "
        "false; its images or patches are not square");
  CHECK(refusal(kTutorial, "timm") ==
        "the layout \"timm\" has no equal of this model: attention.type is per_head, not "
        "multi_head; final_norm is false, not "
        "true; head.type is softmax, not linear");
  CHECK(refusal("{type: vit, tasks: [{name: a}, {name: b}]}", "timm") ==
        "the layout \"timm\" has no equal of this model: it has 2 tasks, not one");
  CHECK(refusal(kTutorial, "onnx") ==
        "unknown layout \"onnx\": there are huggingface, native, "
        "timm, tutorial");
  CHECK(refusal(kTutorial, "native") == "");
}

}  // namespace vitrine

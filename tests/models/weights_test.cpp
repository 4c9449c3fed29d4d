#include "framework/training/weights.h"

#include <cstring>

#include "framework/model/layout.h"
#include "framework/model/tensors.h"
#include "framework/training/adapted_channels.h"
#include "models/position_grid.h"
#include "tests/models/agreement.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;
using Tensors = std::map<std::string, Tensor>;

constexpr const char* kTimm =
    "{type: vit, n_patches: 3, hidden_d: 12, n_heads: 3, n_blocks: 2, position: learned, "
    "norm: {type: layer, eps: 1e-6}, attention: {type: multi_head, qk_norm: true}, "
    "block: {type: pre_norm, layer_scale: 0.1}, mlp: {type: gelu, ratio: 2}}";
constexpr const char* kHuggingface =
    "{type: vit, n_patches: 3, hidden_d: 12, n_heads: 2, n_blocks: 2, position: learned, "
    "norm: {type: layer, eps: 1e-12}, mlp: {type: gelu, ratio: 3}}";
constexpr const char* kSmall =
    "{type: vit, n_patches: 2, hidden_d: 4, n_heads: 2, n_blocks: 1, position: learned}";

std::string bytes_of(const Tensors& tensors) {
  std::vector<OwnedTensor> owned;
  for (const auto& [name, tensor] : tensors) owned.push_back(to_owned(name, tensor));
  return write_safetensors(views_of(owned), {{"format", "pt"}});
}

// A file of tensors, and what is made of it.
class File {
 public:
  explicit File(const Tensors& tensors) {
    write_plain(folder_ / "w.safetensors", bytes_of(tensors));
    options.file.value = folder_ / "w.safetensors";
  }

  LoadedWeights into(Model& model) const { return load_weights(model, options); }
  // What was said, or what is wrong, without the file's name.
  std::string messages(Model& model) const {
    std::string out;
    for (const std::string& message : into(model).messages) out += short_of(message) + "\n";
    return out;
  }
  std::string error(Model& model, ExitCode code = ExitCode::kCheckpoint) const {
    return short_of(message_of(code, [&] { into(model); }));
  }

  WeightsOptions options;

 private:
  std::string short_of(const std::string& message) const {
    const std::string start = options.file.value + ": ";
    REQUIRE(message.starts_with(start));
    return message.substr(start.size());
  }

  TemporaryFolder folder_;
};

bool same_weights(const Model& a, const Model& b) {
  const auto first = parameters_by_name(a), second = parameters_by_name(b);
  if (first.size() != second.size()) return false;
  return std::all_of(first.begin(), first.end(), [&](const auto& item) {
    return same_bits(item.second, second.at(item.first));
  });
}

// A model with weights that no other has.
std::shared_ptr<Model> random_model(const std::string& yaml, const ModelContext& images) {
  const auto model = make_model(yaml, images);
  const at::NoGradGuard no_grad;
  for (const auto& [name, value] : parameters_by_name(*model)) Tensor(value).normal_();
  return model;
}

Tensors with_prefix(const std::string& prefix, const Tensors& tensors) {
  Tensors out;
  for (const auto& [name, tensor] : tensors) out[prefix + name] = tensor;
  return out;
}

}  // namespace

TEST_CASE("weights of timm and transformers give their logits, and are exported as they were") {
  struct Case {
    const char *layout, *yaml;
    ModelContext images;
  };
  for (const Case& each : {Case{"timm", kTimm, images_of(3, 12, 18, 5)},
                           Case{"huggingface", kHuggingface, images_of(1, 12, 12, 3)}}) {
    CAPTURE(each.layout);
    const Golden golden =
        load_golden(golden_folder() / (std::string("weights_") + each.layout + ".safetensors"));
    const Tensors weights = golden.under("weights/");
    const auto model = random_model(each.yaml, each.images);
    const File file(weights);
    CHECK(file.messages(*model) ==
          std::string("the layout is ") + each.layout + ", by the names\n");
    model->eval();
    for (const char* way : {"layers", "fused"}) {
      const at::NoGradGuard no_grad;
      const Tensor logits = outputs_of(model, golden.tensors.at("images"), way)[0];
      CHECK(largest_difference(logits, golden.tensors.at("logits")) < 1e-5);
    }
    CHECK(bytes_of(model->export_as(each.layout)) == bytes_of(weights));
  }
}

TEST_CASE("what a layout exports is loaded to the same bits, and exported to the same bytes") {
  const std::map<std::string, std::vector<std::string>> models = {
      {"native", {kSmall, kTutorial, "lenet", "mixer"}},
      {"tutorial", {kTutorial}},
      {"timm", {kSmall, kTimm, "{type: vit, position: sincos_2d, n_blocks: 1}"}},
      {"huggingface", {kSmall, "{type: vit, embedding: conv_patches, n_blocks: 1}"}}};
  for (const std::string& layout : Registry::instance().names(Layout::kKind)) {
    REQUIRE(models.contains(layout));
    for (std::string yaml : models.at(layout)) {
      CAPTURE(layout, yaml);
      if (yaml[0] != '{') yaml = "{type: " + yaml + "}";
      const auto model = random_model(yaml, images_of(1, 42, 42));
      const Tensors exported = model->export_as(layout);
      const File file(exported);
      const auto other = random_model(yaml, images_of(1, 42, 42));
      CHECK(file.into(*other).fresh.empty());
      CHECK(same_weights(*model, *other));
      CHECK(bytes_of(other->export_as(layout)) == bytes_of(exported));
    }
  }
}

TEST_CASE("prefixes of programs that wrap models are found, others are given") {
  const auto model = random_model(kSmall, images_of(1, 4, 4));
  const Tensors weights = model->export_as("huggingface");
  for (const std::string prefix : {"module.", "_orig_mod.", "model.", "model._orig_mod.module."}) {
    const auto other = random_model(kSmall, images_of(1, 4, 4));
    const File file(with_prefix(prefix, weights));
    CHECK_THAT(file.messages(*other), StartsWith("the layout is huggingface, after the prefix " +
                                                 prefix + ", by the names\n"));
    CHECK(same_weights(*model, *other));
  }
  Tensors two = with_prefix("student.", weights);
  two.merge(with_prefix("teacher.", random_model(kSmall, images_of(1, 4, 4))->export_as("native")));
  File file(two);
  file.options.prefix = "student.";
  const auto other = random_model(kSmall, images_of(1, 4, 4));
  CHECK_THAT(file.messages(*other),
             Contains("20 tensors without the prefix student. are left out"));
  CHECK(same_weights(*model, *other));
  file.options.prefix = "pupil.";
  CHECK_THAT(file.error(*other, ExitCode::kUsage),
             StartsWith("no name begins with model.weights.prefix \"pupil.\": there are "
                        "student.classifier.bias [10], "));
}

TEST_CASE("a head for other classes is new, as a whole") {
  const auto model = random_model(kSmall, images_of(1, 4, 4, 7));
  const auto other = random_model(kSmall, images_of(1, 4, 4, 3));
  const Tensors before = with_prefix("", parameters_by_name(*other));
  const Tensor head = before.at("head.weight").clone();
  const File file(model->export_as("timm"));
  CHECK_THAT(file.messages(*other), EndsWith("head is new: head.bias [7] in the file, head.bias "
                                             "[3] here\n"));
  CHECK(file.into(*other).fresh == std::vector<std::string>{"head.bias", "head.weight"});
  CHECK(same_bits(parameters_by_name(*other).at("head.weight"), head));
  CHECK(same_bits(parameters_by_name(*other).at("final_norm.weight"),
                  parameters_by_name(*model).at("final_norm.weight")));
}

TEST_CASE("positions are interpolated and channels adapted as timm does") {
  const Golden golden = load_golden(golden_folder() / "weights_timm.safetensors");
  const Tensors weights = golden.under("weights/");
  for (const auto& [name, wanted] : golden.under("positions/")) {
    CAPTURE(name);
    const int64_t rows = name[0] - '0', columns = name[2] - '0';
    const Tensor table = weights.at("pos_embed")[0];
    CHECK(largest_difference(resampled_positions(table, 1, {3, 3}, {rows, columns}), wanted) <
          1e-6);
    std::string yaml = kTimm;
    yaml.replace(yaml.find("n_patches: 3"), 12, fmt::format("n_patches: [{}, {}]", rows, columns));
    const auto model = random_model(yaml, images_of(3, 4 * rows, 6 * columns, 5));
    CHECK_THAT(File(weights).messages(*model),
               EndsWith(fmt::format("position.table: positions of 3 x 3 patches are interpolated "
                                    "to {} x {}\n",
                                    rows, columns)));
    CHECK(largest_difference(parameters_by_name(*model).at("position.table"), wanted) < 1e-6);
  }
  for (const auto& [name, wanted] : golden.under("channels/")) {
    CAPTURE(name);
    const int64_t channels = name[0] - '0';
    const auto model = random_model(kTimm, images_of(channels, 12, 18, 5));
    CHECK_THAT(File(weights).messages(*model),
               EndsWith("embedding.weight: 3 channels are " +
                        (channels == 1 ? "summed to 1\n"
                                       : fmt::format("repeated and scaled for {}\n", channels))));
    CHECK(largest_difference(parameters_by_name(*model).at("embedding.weight"), wanted) < 1e-6);
  }
}

TEST_CASE("weights of our own names are converted too") {
  const auto model = random_model(kSmall, images_of(3, 4, 4));
  const auto other = random_model(
      "{type: vit, n_patches: 4, hidden_d: 4, n_heads: 2, n_blocks: 1, position: learned}",
      images_of(1, 8, 8, 2));
  CHECK(File(model->export_as("native")).messages(*other) ==
        "embedding.weight: 3 channels are summed to 1\n"
        "head is new: head.bias [10] in the file, head.bias [2] here\n"
        "position.table: positions of 2 x 2 patches are interpolated to 4 x 4\n");
  // Patches of four times as many pixels are no images of four channels.
  const auto coarse = random_model(
      "{type: vit, n_patches: 1, hidden_d: 4, n_heads: 2, n_blocks: 1, position: learned}",
      images_of(3, 4, 4));
  CHECK_THAT(File(model->export_as("native")).error(*coarse),
             Contains("\n  embedding.weight [4, 12] in the file, embedding.weight [4, 48] here\n"));
}

TEST_CASE("what does not fit is shown from both sides") {
  const auto model = random_model(kSmall, images_of(1, 4, 4));
  Tensors weights = model->export_as("timm");
  weights.erase("cls_token");
  weights.erase("blocks.0.norm1.bias");
  weights["head_dist.weight"] = at::zeros({10, 4});
  weights["blocks.0.attn.qkv.weight"] = at::zeros({12, 8});
  weights["norm.bias"] = at::zeros({4}, at::kInt);
  CHECK(File(weights).error(*model) ==
        "the weights do not fit the model, in the layout timm:\n"
        "  blocks.0.attn.qkv.weight [12, 8] in the file, blocks.0.attention.qkv.weight [12, 4] "
        "here\n"
        "  norm.bias [4] of type Int in the file, final_norm.bias [4] here\n"
        "  missing in the file: blocks.0.norm1.bias [4], cls_token [1, 1, 4] (here tokens.class)\n"
        "  left over in the file: head_dist.weight [10, 4]\n"
        "  model.weights.skip takes patterns of what is to stay new");
  CHECK(File({{"a", at::zeros({2})}}).error(*model) ==
        "no name is known: there are a [2]; the model has blocks.0.attention.projection.bias [4], "
        "blocks.0.attention.projection.weight [4, 4], blocks.0.attention.qkv.bias [12], "
        "blocks.0.attention.qkv.weight [12, 4], blocks.0.mlp.fc1.bias [16], "
        "blocks.0.mlp.fc1.weight [16, 4], blocks.0.mlp.fc2.bias [4], blocks.0.mlp.fc2.weight "
        "[4, 16] and 12 more; the layouts are huggingface, native, timm, tutorial");
  const auto rope =
      make_model("{type: vit, hidden_d: 16, position: rope, head: mlp}", images_of(1, 28, 28));
  CHECK(File(model->export_as("timm")).error(*rope, ExitCode::kUsage) ==
        "the layout \"timm\" has no equal of this model: position.type is rope, not sincos or "
        "sincos_2d or learned; head.type is mlp, not linear");
}

TEST_CASE("skipped weights stay new, and may be other than in the file") {
  const auto model = random_model(kSmall, images_of(1, 4, 4));
  const auto other = random_model(
      "{type: vit, n_patches: 2, hidden_d: 4, n_heads: 1, n_blocks: 1, position: rope, "
      "head: {type: mlp}}",
      images_of(1, 4, 4));
  Tensors weights = model->export_as("timm");
  weights["blocks.1.norm1.weight"] = at::zeros({4});
  weights["fc_norm.weight"] = at::zeros({4});
  File file(weights);
  file.options.skip = {"head.*", "position.*", "blocks.1.*", "fc_norm.*"};
  const auto fresh = file.into(*other).fresh;
  CHECK(fresh.size() == 4);
  CHECK(std::all_of(fresh.begin(), fresh.end(),
                    [](const auto& name) { return name.starts_with("head."); }));
  CHECK(same_bits(parameters_by_name(*other).at("blocks.0.mlp.fc1.bias"),
                  parameters_by_name(*model).at("blocks.0.mlp.fc1.bias")));
  file.options.skip.push_back("heads.*");
  CHECK(file.error(*other, ExitCode::kUsage) ==
        "model.weights.skip: \"heads.*\" fits no name; the model has embedding.weight, "
        "embedding.bias, tokens.class, blocks.*.norm1.weight, blocks.*.norm1.bias, "
        "blocks.*.attention.qkv.weight, blocks.*.attention.qkv.bias, "
        "blocks.*.attention.projection.weight, blocks.*.attention.projection.bias, "
        "blocks.*.norm2.weight, blocks.*.norm2.bias, blocks.*.mlp.fc1.weight, "
        "blocks.*.mlp.fc1.bias, blocks.*.mlp.fc2.weight, blocks.*.mlp.fc2.bias, "
        "final_norm.weight, final_norm.bias, head.fc1.weight, head.fc1.bias, head.fc2.weight, "
        "head.fc2.bias");
}

TEST_CASE("positions that a model computes must be those of the file") {
  const std::string fixed = "{type: vit, n_patches: 2, hidden_d: 4, n_heads: 2, n_blocks: 1}";
  const auto learned = random_model(kSmall, images_of(1, 4, 4));
  const auto model = random_model(fixed, images_of(1, 4, 4));
  CHECK(File(learned->export_as("timm")).error(*model) ==
        "the weights do not fit the model, in the layout timm:\n"
        "  pos_embed [1, 5, 4] is another table than the position.table that the model computes\n"
        "  model.weights.skip takes patterns of what is to stay new");
  File file(learned->export_as("timm"));
  file.options.skip = {"position.table"};
  CHECK(file.into(*model).fresh.empty());
}

TEST_CASE("weights that a hash does not fit are refused") {
  const auto model = random_model(kSmall, images_of(1, 4, 4));
  File file(model->export_as("native"));
  file.options.sha256 = std::string(64, '0');
  CHECK_THAT(file.error(*model), StartsWith("wrong checksum: its SHA-256 is "));
}

TEST_CASE("half precision is taken exactly") {
  const auto model = random_model(kSmall, images_of(1, 4, 4));
  Tensors halves;
  for (const auto& [name, tensor] : model->export_as("timm")) halves[name] = tensor.to(at::kHalf);
  File(halves).into(*model);
  for (const auto& [name, tensor] : model->export_as("timm"))
    CHECK(same_bits(tensor, halves.at(name).to(at::kFloat)));
}

TEST_CASE("frozen parameters are outside the flat ones, and the others' gradients are the same") {
  const std::string yaml = "{type: vit, n_blocks: 2, hidden_d: 8, n_heads: 2, n_patches: 4}";
  const ModelContext images = images_of(1, 28, 28);
  const auto model = make_model(yaml, images);
  CHECK(freeze_problem(*model, {"blocks.7.*"})
            .starts_with("\"blocks.7.*\" fits no parameter; there "
                         "are embedding.weight, "));
  CHECK(freeze_problem(*model, {"*"}) == "nothing is left to train");
  CHECK(freeze_problem(*model, {"blocks.0.*", "embedding.*"}) == "");
  const Tensor pixels = at::randint(0, 256, {3, 1, 28, 28}, at::kByte);
  for (const char* way : {"layers", "fused"}) {
    std::map<std::string, Tensor> gradients[2];
    const auto again = make_model(yaml, images);
    copy_by_name(parameters_by_name(*model), parameters_by_name(*again));
    for (const bool frozen : {false, true}) {
      if (frozen) freeze(*again, {"blocks.0.*", "embedding.*", "*.qkv.weight"});
      FlatParameters parameters(*again);
      parameters.gradients().zero_();
      outputs_of(again, pixels, way)[0].square().sum().backward();
      for (const auto& [name, value] : parameters.by_name(parameters.gradients()))
        gradients[frozen][name] = value.clone();
    }
    CHECK(gradients[0].size() == parameters_by_name(*model).size());
    CHECK(gradients[1].size() == gradients[0].size() - 12 - 2 - 1);
    for (const auto& [name, value] : gradients[1]) {
      CAPTURE(way, name);
      CHECK_FALSE(name.starts_with("blocks.0."));
      CHECK(largest_difference(value, gradients[0].at(name)) < 1e-6);
    }
  }
}

}  // namespace vitrine

// Models as ONNX: every registered component, every operation and random programs, without a list.
// Whether they compute the same there, tests/peers/onnx.py compares, with what is written here.
#include <fmt/format.h>

#include <cstdlib>
#include <random>

#include "framework/model/tensors.h"
#include "framework/onnx/form.h"
#include "framework/registry/register.h"
#include "framework/training/export_onnx.h"
#include "framework/training/metric.h"
#include "tests/component.h"
#include "tests/framework/onnx/read_onnx.h"
#include "tests/models/agreement.h"
#include "tests/models/operation_examples.h"
#include "tests/models/random_model.h"

namespace vitrine {
namespace {

ModelFile file_of(const std::shared_ptr<Model>& model, const ModelContext& images) {
  at::manual_seed(1);
  const at::NoGradGuard no_grad;
  // Norms and biases too: where they are 1 and 0 a mistake would not show.
  for (auto& parameter : model->parameters()) parameter.add_(at::randn(parameter.sizes()), 0.1);
  model->eval();
  ModelFile out;
  out.model = model;
  out.context = images;
  out.backend = std::make_shared<Backend>(
      model, kFused, std::vector<int64_t>{images.channels, images.height, images.width}, "cpu");
  return out;
}

// What the model answers, by the names of the outputs in ONNX.
std::vector<OwnedTensor> answers(const ModelFile& file, const Tensor& images) {
  const at::NoGradGuard no_grad;
  const BatchPosition position{5, 2, at::arange(images.size(0))};
  const std::vector<Tensor> outputs = file.backend->forward({images, {}, position});
  const std::vector<Task>& tasks = file.model->tasks();
  std::vector<OwnedTensor> out = {to_owned("images", images)};
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (tasks.empty()) {
      const std::string number = i == 0 ? "" : fmt::format("_{}", i + 1);
      out.push_back(to_owned("outputs.features" + number, outputs[i]));
      continue;
    }
    out.push_back(to_owned("outputs." + tasks[i].name, outputs[i]));
    if (tasks[i].type == TaskType::kRegression) continue;
    out.push_back(to_owned("outputs." + tasks[i].name + ".probabilities",
                           probabilities_of(outputs[i], tasks[i])));
  }
  return out;
}

// Visits models with what they are made of.
using Visit = std::function<void(const std::string&, const ModelFile&)>;

void visit_model(const std::string& yaml, const ModelContext& images, const Visit& visit) {
  at::manual_seed(1);
  visit(yaml, file_of(make_model(yaml, images), images));
}

void visit_models(const Visit& visit) {
  const Registry& registry = Registry::instance();
  std::mt19937 generator(11);
  const auto visit_random = [&](const std::string& type, const std::string& kind,
                                const std::string& name) {
    RandomModel made(type, generator);
    made.compose(kind, name);
    visit_model(made.yaml(), made.images(), visit);
  };
  visit_model(kTutorial, images_of(1, 28, 28), visit);
  for (const std::string& type : registry.names(Model::kKind)) {
    visit_model("{type: " + type + "}", images_of(1, 28, 28), visit);
    visit_model("{type: " + type + "}", images_of(3, 28, 28, 100), visit);
    for (const Node& option : resolved_model("{type: " + type + "}").children) {
      for (const std::string& name : registry.names(option.key)) {
        for (int i = 0; i < 3; ++i) visit_random(type, option.key, name);
      }
    }
  }
  ModelContext columns = images_of(1, 8, 8);
  columns.columns = {{"kind", LabelColumn::Kind::kClasses, {"cat", "dog", "cow"}},
                     {"seen", LabelColumn::Kind::kLabels, {"tail", "horn"}},
                     {"size", LabelColumn::Kind::kValues, {"height", "weight"}}};
  for (const std::string head : {"linear", "mlp"}) {
    visit_model("{type: vit, n_patches: 2, hidden_d: 8, n_heads: 2, head: " + head +
                    ", tasks: [{name: kind, column: kind}, {name: seen, column: seen}, {name: "
                    "size, column: size}]}",
                columns, visit);
  }
}

void visit_programs(const Visit& visit) {
  const auto visit_one = [&](const std::string& name, const OperationModel::Make& make) {
    at::manual_seed(4);
    visit(name, file_of(std::make_shared<OperationModel>(make), OperationModel::images()));
  };
  for (const auto& [name, make] : operation_examples())
    visit_one(name, [make = make](OperationModel& m) { return std::vector{make(m)}; });
  for (uint32_t seed = 0; seed < 150; ++seed)
    visit_one(fmt::format("random program {}", seed), RandomProgram(seed));
}

// In ONNX; nothing of what draws random numbers, which is told so.
std::optional<std::string> written(const ModelFile& file, const OnnxOptions& options) {
  try {
    return to_onnx(file, options).bytes;
  } catch (const Error& error) {
    CHECK_THAT(error.what(), Contains(" draws random numbers in evaluation too, "));
    return std::nullopt;
  }
}

}  // namespace

TEST_CASE("every model, part and operation is written, with its weights as they are") {
  size_t models = 0, refused = 0;
  const auto visit = [&](const std::string& name, const ModelFile& file) {
    INFO(name);
    ++models;
    const auto known = state_of(*file.model);
    for (const int64_t opset : {17, 23}) {
      const auto bytes = written(file, {opset, false});
      if (!bytes && ++refused) continue;
      for (const auto& [weights, initializer] : read_onnx(*bytes).initializers) {
        CAPTURE(weights);
        const auto found = known.find(weights);
        if (weights.starts_with("constant.") && found == known.end()) continue;
        REQUIRE(found != known.end());
        CHECK(found->second.sizes().vec() == initializer.sizes);
        const Tensor values = at::tensor(initializer.values).view(initializer.sizes);
        CHECK(same_bits(values, found->second.contiguous()));
      }
    }
  };
  visit_models(visit);
  CHECK(refused == 0);  // what is trained at random answers without
  visit_programs(visit);
  CHECK(refused < models);
}

namespace {

class Inverted : public Transform {
 public:
  Inverted(const NoOptions&, const TransformContext&) {}
  Tensor forward(const Tensor& images, const BatchPosition&) override { return 1 - images; }
};

VITRINE_REGISTER(Transform, Inverted, NoOptions, "for a test")

}  // namespace

TEST_CASE("a transform that is no normalization is left to who gives the images") {
  const ModelContext images = images_of(3, 8, 8);
  ModelFile file =
      file_of(make_model("{type: vit, n_patches: 2, hidden_d: 8, n_heads: 2}", images), images);
  for (const char* transform : {"{type: normalize, mean: [0.5, 0.25, 0.125], std: 2}", "normalize"})
    file.transforms.push_back(make<Transform>(transform, {3, 8, 8}));
  const auto initializers = read_onnx(to_onnx(file, {}).bytes).initializers;
  CHECK(initializers.at("normalize.mean").sizes == std::vector<int64_t>{1, 3, 1, 1});
  CHECK(initializers.at("normalize.mean").values == std::vector<float>{0.5, 0.25, 0.125});
  CHECK(initializers.at("normalize.std").values == std::vector<float>{2});
  CHECK(initializers.at("normalize.mean_2").values == std::vector<float>{0.5});
  file.transforms.push_back(make<Transform>("onnx_test", {3, 8, 8}));
  CHECK(message_of(ExitCode::kUsage, [&] { to_onnx(file, {}); }) ==
        "the model cannot be written as ONNX: images go through the transform onnx_test, which is "
        "no normalization; --input float32 leaves what is done to images to who gives them");
  CHECK_NOTHROW(to_onnx(file, {17, true}));
}

// For tests/peers/onnx.py, which names the folder.
TEST_CASE("models as ONNX beside their answers") {
  const char* named = std::getenv("VITRINE_ONNX_CASES");
  if (!named) return;
  const std::filesystem::path folder = named;
  size_t number = 0;
  const auto visit = [&](const std::string& name, const ModelFile& file) {
    INFO(name);
    const bool takes_floats = number % 3 == 2;
    const std::string stem = fmt::format("{:04}", number++);
    Tensor images = bytes_for(file.context, 7);
    if (takes_floats) images = images.to(at::kFloat) / 100 - 1;
    for (const int64_t opset : {17, 18, 20, 23}) {
      const auto bytes = written(file, {opset, takes_floats});
      if (!bytes) return;
      write_plain(folder / fmt::format("{}.{}.onnx", stem, opset), *bytes);
    }
    write_plain(folder / (stem + ".safetensors"),
                write_safetensors(views_of(answers(file, images)), {{"model", name}}));
  };
  visit_models(visit);
  visit_programs(visit);
}

}  // namespace vitrine

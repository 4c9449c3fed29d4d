#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "framework/config/yaml.h"
#include "framework/files/file.h"
#include "framework/files/safetensors.h"
#include "framework/model/model.h"
#include "framework/training/backend.h"
#include "framework/training/flat_parameters.h"
#include "framework/training/model_file.h"
// After torch, which has a macro CHECK too.
#include "tests/catch.h"
#include "tests/framework/files/support.h"

namespace vitrine {

// The tutorial's model, as a config spells it.
inline constexpr const char* kTutorial =
    "{type: vit, n_patches: 7, n_blocks: 2, hidden_d: 8, n_heads: 2, attention: per_head, "
    "final_norm: false, head: softmax}";

// Classes named by their numbers.
inline ModelContext images_of(int64_t channels, int64_t height, int64_t width,
                              int64_t classes = 10) {
  ModelContext out;
  out.channels = channels;
  out.height = height;
  out.width = width;
  std::vector<std::string> names;
  for (int64_t i = 0; i < classes; ++i) names.push_back(std::to_string(i));
  out.columns = class_column(std::move(names));
  return out;
}

// `yaml` is the mapping under the key `model` of a config called "test.yaml".
inline Choice<Model> read_model(const std::string& yaml, Problems& problems) {
  const Node config = parse_yaml("model: " + yaml, "test.yaml");
  Choice<Model> choice;
  choice.read(*config.find("model"), "model", problems);
  return choice;
}

// What is wrong with it, as a user sees it.
inline std::string problems_of_model(const std::string& yaml, const ModelContext& images) {
  Problems problems;
  read_model(yaml, problems).check(images, problems);
  return problems.text("test.yaml");
}

inline std::shared_ptr<Model> make_model(const std::string& yaml, const ModelContext& images) {
  if (const auto text = problems_of_model(yaml, images); !text.empty()) {
    throw std::runtime_error(text);
  }
  Problems problems;
  return read_model(yaml, problems).create(images);
}

// The model as its resolved config spells it.
inline Node resolved_model(const std::string& yaml) {
  Problems problems;
  return read_model(yaml, problems).write();
}

struct Golden {
  std::map<std::string, Tensor> tensors;
  std::map<std::string, std::string> metadata;

  // Those whose name begins with `prefix`, which is cut off.
  std::map<std::string, Tensor> under(const std::string& prefix) const {
    std::map<std::string, Tensor> out;
    for (const auto& [name, value] : tensors) {
      if (name.starts_with(prefix)) out.emplace(name.substr(prefix.size()), value);
    }
    return out;
  }
};

inline std::filesystem::path golden_folder() {
  return std::filesystem::path(VITRINE_SOURCE_DIR) / "tests" / "golden";
}

inline Golden load_golden(const std::filesystem::path& file) {
  const auto read = Safetensors::load(file, 1 << 20);
  Golden out;
  out.metadata = read.metadata();
  for (const TensorView& view : read.tensors()) {
    if (view.dtype != DType::kF32) throw std::runtime_error(view.name + " is not F32");
    const Tensor borrowed =
        at::from_blob(const_cast<char*>(view.bytes.data()), view.shape, at::kFloat);
    out.tensors.emplace(view.name, borrowed.clone());
  }
  return out;
}

// What PyTorch computed with the tutorial's model.
inline nlohmann::json tutorial_numbers() {
  return nlohmann::json::parse(read_file(golden_folder() / "tutorial.json", 1 << 20));
}

inline Tensor matrix(const nlohmann::json& rows) {
  std::vector<float> values;
  for (const nlohmann::json& row : rows) {
    for (const nlohmann::json& value : row) values.push_back(value.get<float>());
  }
  return at::tensor(values).view({static_cast<int64_t>(rows.size()), -1});
}

// Copies `values` into the tensors of the same names; there must be no others on either side.
inline void copy_by_name(const std::map<std::string, Tensor>& values,
                         const std::map<std::string, Tensor>& into) {
  at::NoGradGuard no_grad;
  if (values.size() != into.size()) throw std::runtime_error("different numbers of tensors");
  for (const auto& [name, target] : into) {
    if (!values.contains(name)) throw std::runtime_error("no " + name);
    if (values.at(name).sizes() != target.sizes()) throw std::runtime_error("shape of " + name);
    Tensor(target).copy_(values.at(name));
  }
}

inline std::map<std::string, Tensor> parameters_by_name(const torch::nn::Module& module) {
  std::map<std::string, Tensor> out;
  for (const auto& item : module.named_parameters()) out.emplace(item.key(), item.value());
  return out;
}

inline bool same_bits(const Tensor& a, const Tensor& b) {
  return a.sizes() == b.sizes() &&
         at::equal(a.contiguous().view(at::kInt), b.contiguous().view(at::kInt));
}

inline double largest_difference(const Tensor& a, const Tensor& b) {
  if (a.sizes() != b.sizes()) throw std::runtime_error("different shapes");
  return (a - b).abs().max().item<double>();
}

// Of each task [B, classes], in the model's present mode: executed in the way that is named, else
// as a run executes it.
inline std::vector<Tensor> outputs_of(const std::shared_ptr<Model>& model, const Tensor& images,
                                      std::string way = "") {
  const std::vector<int64_t> sizes = images.sizes().slice(1).vec();
  if (way.empty()) way = choose_backend(outputs_of_tasks(model, sizes), "cpu").value;
  return Backend(model, way, sizes, "cpu").forward({images, {}, {}});
}

// One step of an optimizer changes the model, and a model.safetensors keeps all of it: what is
// loaded gives the same bits.
inline void check_trained_and_saved(const std::string& yaml, const ModelContext& images,
                                    const Tensor& pixels) {
  Problems problems;
  const Choice<Model> choice = read_model(yaml, problems);
  choice.check(images, problems);
  REQUIRE(problems.text("test.yaml") == "");
  const auto model = choice.create(images);
  FlatParameters parameters(*model);
  Choice<Optimizer> adam("adam");
  adam.read_default("optimizer", problems);
  const auto optimizer = adam.create({parameters});
  const Tensor before = parameters.values().clone();
  Tensor sum = at::zeros({});
  for (const Tensor& out : outputs_of(model, pixels)) sum = sum + (out * at::randn_like(out)).sum();
  sum.backward();
  optimizer->step(0.01);
  CHECK_FALSE(at::equal(parameters.values(), before));

  Config config;
  config.dataset = Choice<Dataset>("digits");
  config.dataset.read_default("dataset", problems);
  config.model = choice;
  const DatasetInfo info{images.channels, images.height, images.width, images.columns};
  const TemporaryFolder folder;
  save_model(folder / "model.safetensors", *model, config, info);
  const ModelFile loaded = load_model(folder / "model.safetensors");
  model->eval();
  const at::NoGradGuard no_grad;
  const auto first = outputs_of(model, pixels), second = outputs_of(loaded.model, pixels);
  REQUIRE(first.size() == second.size());
  for (size_t i = 0; i < first.size(); ++i) {
    CAPTURE(i);
    CHECK(same_bits(first[i], second[i]));
  }
}

}  // namespace vitrine

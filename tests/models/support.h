#pragma once

#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "framework/config/yaml.h"
#include "framework/files/safetensors.h"
#include "framework/training/model.h"
// After torch, which has a macro CHECK too.
#include "tests/catch.h"

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
  for (int64_t i = 0; i < classes; ++i) out.class_names.push_back(std::to_string(i));
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

}  // namespace vitrine

// Agreement with PyTorch: tests/golden/make_golden.py made the numbers.
#include <ATen/CPUGeneratorImpl.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "framework/files/file.h"
#include "framework/files/gzip.h"
#include "framework/files/idx.h"
#include "tests/models/support.h"

namespace vitrine {
namespace {

using Json = nlohmann::json;

Json tutorial_numbers() {
  return Json::parse(read_file(golden_folder() / "tutorial.json", 1 << 20));
}

Tensor matrix(const Json& rows) {
  std::vector<float> values;
  for (const Json& row : rows) {
    for (const Json& value : row) values.push_back(value.get<float>());
  }
  return at::tensor(values).view({static_cast<int64_t>(rows.size()), -1});
}

std::shared_ptr<Model> tutorial_model() { return make_model(kTutorial, images_of(1, 28, 28)); }

// The folder that the tests' MNIST is in; empty, after a warning, where there is none.
std::filesystem::path mnist_folder() {
  const char* named = std::getenv("VITRINE_DATA");
  const auto source = std::filesystem::path(VITRINE_SOURCE_DIR);
  for (const auto& place : {std::filesystem::path(named ? named : ""), source / "data",
                            source / "../data", source / "../shared/data"}) {
    if (exists(place / "mnist" / "train-images-idx3-ubyte.gz")) return place / "mnist";
  }
  WARN(
      "SKIPPED: there is no MNIST under ../shared/data/mnist, so nothing was compared with the "
      "tutorial's training on it");
  return {};
}

Tensor read_mnist(const std::filesystem::path& file) {
  const auto array =
      parse_idx(gunzip(read_file(file, 100 << 20), 100 << 20, file.string()), file.string());
  return at::from_blob(const_cast<char*>(array.bytes.data()), array.shape, at::kByte).clone();
}

// The order of PyTorch's DataLoader: one draw is discarded, the next seeds the permutation.
Tensor first_batch(int64_t images) {
  at::empty({}, at::kLong).random_();
  const auto shuffle_seed =
      static_cast<uint64_t>(at::empty({}, at::kLong).random_().item<int64_t>());
  return at::randperm(images, at::detail::createCPUGenerator(shuffle_seed), at::kLong)
      .slice(0, 0, 128);
}

}  // namespace

TEST_CASE("seed 0 gives the tutorial's initial weights, bit by bit") {
  at::manual_seed(0);
  const auto model = tutorial_model();
  const auto weights = model->export_as("tutorial");
  const auto golden = load_golden(golden_folder() / "tutorial_seed0_initial.safetensors");
  REQUIRE(weights.size() == golden.tensors.size());
  int64_t parameters = 0;
  for (const auto& [name, value] : golden.tensors) {
    CAPTURE(name);
    REQUIRE(weights.contains(name));
    CHECK(same_bits(weights.at(name), value));
    parameters += value.numel();
  }
  CHECK(parameters == 1642);
}

TEST_CASE(
    "the tutorial's model on images of another size and colour gives PyTorch's probabilities") {
  const auto golden = load_golden(golden_folder() / "colour_seed1.safetensors");
  auto weights = golden.tensors;
  weights.erase("input");
  const auto model = make_model(
      "{type: vit, n_patches: 4, n_blocks: 3, hidden_d: 12, n_heads: 3, attention: per_head, "
      "final_norm: false, head: softmax}",
      images_of(3, 32, 32, 7));
  copy_by_name(weights, model->export_as("tutorial"));
  const Tensor out = model->forward(golden.tensors.at("input")).at(0);
  CHECK(largest_difference(out, matrix(tutorial_numbers()["colour_seed1"]["probabilities"])) <
        1e-5);
}

TEST_CASE(
    "the tutorial's model gives PyTorch's probabilities for MNIST before and after 50 steps") {
  const auto folder = mnist_folder();
  if (folder.empty()) return;
  const Tensor images =
      read_mnist(folder / "t10k-images-idx3-ubyte.gz").slice(0, 0, 8).unsqueeze(1);
  const auto model = tutorial_model();
  for (const std::string moment : {"initial", "step50"}) {
    CAPTURE(moment);
    copy_by_name(
        load_golden(golden_folder() / ("tutorial_seed0_" + moment + ".safetensors")).tensors,
        model->export_as("tutorial"));
    const std::string key = moment == "initial" ? "initial" : "step_50";
    const Tensor wanted = matrix(tutorial_numbers()[key + "_probabilities_of_test_images_0_to_7"]);
    CHECK(largest_difference(model->forward(images).at(0), wanted) < 1e-5);
  }
}

TEST_CASE("the first step on MNIST has the tutorial's loss and gradients") {
  const auto folder = mnist_folder();
  if (folder.empty()) return;
  at::manual_seed(0);
  const auto model = tutorial_model();
  const Tensor batch = first_batch(60000);
  const Json numbers = tutorial_numbers();
  const auto first_indices = numbers["epoch_1_first_indices"].get<std::vector<int64_t>>();
  CHECK(at::equal(batch.slice(0, 0, 16), at::tensor(first_indices)));
  const Tensor images =
      read_mnist(folder / "train-images-idx3-ubyte.gz").index_select(0, batch).unsqueeze(1);
  const Tensor labels =
      read_mnist(folder / "train-labels-idx1-ubyte.gz").index_select(0, batch).to(at::kLong);
  const Tensor loss = at::cross_entropy_loss(model->forward(images).at(0), labels);
  loss.backward();
  CHECK(std::abs(loss.item<double>() - numbers["losses_of_steps_1_to_50"][0].get<double>()) < 1e-5);

  const auto norms = numbers["gradient_norms_of_step_1"].get<std::map<std::string, double>>();
  double largest = 0;
  for (const auto& [name, norm] : norms) largest = std::max(largest, norm);
  const auto weights = model->export_as("tutorial");
  REQUIRE(weights.size() == norms.size());
  for (const auto& [name, norm] : norms) {
    CAPTURE(name);
    CHECK(std::abs(weights.at(name).grad().norm().item<double>() - norm) < 1e-4 * largest);
  }
}

TEST_CASE("other compositions, shapes and seeds agree with torch's own modules") {
  size_t cases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(golden_folder())) {
    const std::string file = entry.path().filename();
    if (!file.starts_with("case_")) continue;
    ++cases;
    DYNAMIC_SECTION(file) {
      const auto golden = load_golden(entry.path());
      const auto chw = Json::parse(golden.metadata.at("chw")).get<std::vector<int64_t>>();
      at::manual_seed(std::stoull(golden.metadata.at("seed")));
      const auto images =
          images_of(chw[0], chw[1], chw[2], std::stoll(golden.metadata.at("classes")));
      const auto model = make_model(golden.metadata.at("config"), images);
      const auto weights = parameters_by_name(*model);
      if (golden.metadata.at("initial") == "true") {
        for (const auto& [name, value] : golden.under("weight/")) {
          CAPTURE(name);
          REQUIRE(weights.contains(name));
          CHECK(same_bits(weights.at(name), value));
        }
      }
      copy_by_name(golden.under("weight/"), weights);
      const auto outputs = model->forward(golden.tensors.at("input"));
      Tensor sum = at::zeros({});
      for (size_t i = 0; i < outputs.size(); ++i) {
        const std::string task = model->tasks()[i].name;
        CHECK(largest_difference(outputs[i], golden.tensors.at("output/" + task)) < 1e-5);
        sum = sum + (outputs[i] * golden.tensors.at("probe/" + task)).sum();
      }
      sum.backward();
      double largest = 0;
      for (const auto& [name, value] : golden.under("gradient/"))
        largest = std::max(largest, value.abs().max().item<double>());
      for (const auto& [name, value] : golden.under("gradient/")) {
        CAPTURE(name);
        CHECK(largest_difference(weights.at(name).grad(), value) < 1e-4 * largest);
      }
    }
  }
  CHECK(cases >= 7);
}

}  // namespace vitrine

// Agreement with PyTorch: tests/golden/make_golden.py made the numbers.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/models/support.h"

namespace vitrine {
namespace {

using Json = nlohmann::json;

// The outputs and gradients that torch's own modules had with the same weights.
void check_against(const Golden& golden, const std::shared_ptr<Model>& model, const char* way) {
  const auto outputs = outputs_of(model, golden.tensors.at("input"), way);
  Tensor sum = at::zeros({});
  for (size_t i = 0; i < outputs.size(); ++i) {
    const std::string task = model->tasks()[i].name;
    CHECK(largest_difference(outputs[i], golden.tensors.at("output/" + task)) < 1e-5);
    sum = sum + (outputs[i] * golden.tensors.at("probe/" + task)).sum();
  }
  for (auto& parameter : model->parameters()) parameter.mutable_grad() = Tensor();
  sum.backward();
  double largest = 0;
  for (const auto& [name, value] : golden.under("gradient/"))
    largest = std::max(largest, value.abs().max().item<double>());
  const auto weights = parameters_by_name(*model);
  for (const auto& [name, value] : golden.under("gradient/")) {
    CAPTURE(name);
    CHECK(largest_difference(weights.at(name).grad(), value) < 1e-4 * largest);
  }
}

std::shared_ptr<Model> tutorial_model() { return make_model(kTutorial, images_of(1, 28, 28)); }

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
  const Tensor wanted = matrix(tutorial_numbers()["colour_seed1"]["probabilities"]);
  for (const char* way : {kLayers, kFused}) {
    CAPTURE(way);
    const Tensor out = outputs_of(model, golden.tensors.at("input"), way).at(0);
    CHECK(largest_difference(out, wanted) < 1e-5);
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
      for (const char* way : {kLayers, kFused}) {
        CAPTURE(way);
        check_against(golden, model, way);
      }
    }
  }
  CHECK(cases >= 7);
}

}  // namespace vitrine

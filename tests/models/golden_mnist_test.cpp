// Agreement with PyTorch on MNIST: tests/golden/make_golden.py made the numbers.
#include <ATen/CPUGeneratorImpl.h>

#include "framework/files/idx.h"
#include "framework/model/layout.h"
#include "tests/mnist.h"
#include "tests/models/support.h"

namespace vitrine {
namespace {

using Json = nlohmann::json;

Tensor read_mnist(const std::string& name) {
  const std::string bytes = read_mnist_file(mnist_folder(), name);
  const auto array = parse_idx(bytes, name);
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

TEST_CASE(
    "the tutorial's model gives PyTorch's probabilities for MNIST before and after 50 steps") {
  if (mnist_folder().empty()) return;
  const Tensor images = read_mnist("t10k-images-idx3-ubyte").slice(0, 0, 8).unsqueeze(1);
  const auto model = make_model(kTutorial, images_of(1, 28, 28));
  for (const std::string moment : {"initial", "step50"}) {
    CAPTURE(moment);
    copy_by_name(
        load_golden(golden_folder() / ("tutorial_seed0_" + moment + ".safetensors")).tensors,
        model->export_as("tutorial"));
    const std::string key = moment == "initial" ? "initial" : "step_50";
    const Tensor wanted = matrix(tutorial_numbers()[key + "_probabilities_of_test_images_0_to_7"]);
    for (const char* way : {kLayers, kFused}) {
      CAPTURE(way);
      CHECK(largest_difference(outputs_of(model, images, way).at(0), wanted) < 1e-5);
    }
  }
}

TEST_CASE("the first step on MNIST has the tutorial's loss and gradients") {
  if (mnist_folder().empty()) return;
  at::manual_seed(0);
  const auto model = make_model(kTutorial, images_of(1, 28, 28));
  const Tensor batch = first_batch(60000);
  const Json numbers = tutorial_numbers();
  const auto first_indices = numbers["epoch_1_first_indices"].get<std::vector<int64_t>>();
  CHECK(at::equal(batch.slice(0, 0, 16), at::tensor(first_indices)));
  const Tensor images = read_mnist("train-images-idx3-ubyte").index_select(0, batch).unsqueeze(1);
  const Tensor labels = read_mnist("train-labels-idx1-ubyte").index_select(0, batch).to(at::kLong);

  const auto norms = numbers["gradient_norms_of_step_1"].get<std::map<std::string, double>>();
  double largest = 0;
  for (const auto& [name, norm] : norms) largest = std::max(largest, norm);
  for (const char* way : {kLayers, kFused}) {
    CAPTURE(way);
    const Tensor loss = at::cross_entropy_loss(outputs_of(model, images, way).at(0), labels);
    for (auto& parameter : model->parameters()) parameter.mutable_grad() = Tensor();
    loss.backward();
    const auto losses = numbers["losses_of_steps_1_to_50"];
    CHECK(std::abs(loss.item<double>() - losses[0].get<double>()) < 1e-5);
    LayoutContext gradients = model->layout_context();
    for (auto& [name, weight] : gradients.weights) weight = weight.grad();
    const auto of_tutorial = weights_in_layout("tutorial", gradients);
    REQUIRE(of_tutorial.size() == norms.size());
    for (const auto& [name, norm] : norms) {
      CAPTURE(name);
      CHECK(std::abs(of_tutorial.at(name).norm().item<double>() - norm) < 1e-4 * largest);
    }
  }
}

}  // namespace vitrine

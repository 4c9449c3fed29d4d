#include "framework/training/flat_parameters.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>

#include "framework/error.h"
#include "framework/torch.h"
#include "tests/catch.h"

namespace vitrine {
namespace {

struct Net : torch::nn::Module {
  Net() {
    first = register_module("first", torch::nn::Linear(3, 5));
    second = register_module("second", torch::nn::Linear(5, 2));
    frozen = register_parameter("frozen", at::ones({4}), /*requires_grad=*/false);
  }
  Tensor forward(const Tensor& x) { return second(first(x).relu()); }

  torch::nn::Linear first = nullptr, second = nullptr;
  Tensor frozen;
};

TEST_CASE("the slices are aligned and in the order of the parameters") {
  Net net;
  FlatParameters flat(net);
  std::vector<std::string> names;
  std::vector<int64_t> offsets;
  for (const auto& slice : flat.slices()) {
    names.push_back(slice.name);
    offsets.push_back(slice.offset);
  }
  CHECK(names ==
        std::vector<std::string>{"first.weight", "first.bias", "second.weight", "second.bias"});
  CHECK(offsets == std::vector<int64_t>{0, 16, 32, 48});
  CHECK(flat.slices()[2].shape == std::vector<int64_t>{2, 5});
  CHECK(flat.values().size(0) == 64);
  CHECK(flat.gradients().size(0) == 64);
}

TEST_CASE("the model keeps its values, and what is written to the flat tensor is seen by it") {
  Net net;
  const Tensor before = net.second->weight.detach().clone();
  FlatParameters flat(net);
  CHECK(at::equal(net.second->weight, before));
  CHECK(flat.values().narrow(0, 15, 1).item<float>() == 0);
  flat.values().add_(1);
  CHECK(at::equal(net.second->weight, before + 1));
  CHECK(net.frozen.sum().item<float>() == 4);
}

TEST_CASE("autograd accumulates into the flat gradients") {
  Net net;
  FlatParameters flat(net);
  const Tensor x = at::ones({7, 3});
  net.forward(x).sum().backward();
  const Tensor once = flat.gradients().clone();
  CHECK(flat.by_name(once).at("second.bias").sum().item<float>() == 14);
  CHECK(net.first->weight.grad().data_ptr() == flat.gradients().data_ptr());
  net.forward(x).sum().backward();
  CHECK(at::equal(flat.gradients(), once * 2));
  flat.gradients().zero_();
  CHECK(net.second->bias.grad().sum().item<float>() == 0);
}

TEST_CASE("any flat tensor can be seen by name") {
  Net net;
  FlatParameters flat(net);
  const Tensor numbers = at::arange(64, at::kFloat);
  const auto views = flat.by_name(numbers);
  REQUIRE(views.size() == 4);
  CHECK(views.at("second.weight").sizes() == at::IntArrayRef({2, 5}));
  CHECK(views.at("second.weight")[1][0].item<float>() == 37);
  views.at("second.bias").zero_();
  CHECK(numbers[48].item<float>() == 0);
}

TEST_CASE("a parameter of two modules counts once") {
  Net net;
  net.second->register_parameter("tied", net.first->bias);
  CHECK(FlatParameters(net).slices().size() == 4);
}

TEST_CASE("weight decay is meant for matrices that are no biases") {
  Net net;
  net.register_parameter("scale", at::ones({4}));
  net.second->register_parameter("factor", at::ones({}));
  net.register_parameter("bias", at::ones({2, 2}));
  std::vector<std::string> names;
  const FlatParameters parameters(net);
  for (const auto& slice : parameters.slices()) {
    if (slice.traits.decays) names.push_back(slice.name);
  }
  CHECK(names == std::vector<std::string>{"first.weight", "second.weight"});
}

TEST_CASE("a parameter that is not float is refused") {
  Net net;
  net.second->to(at::kDouble);
  CHECK_THROWS_WITH(FlatParameters(net),
                    "parameter second.weight is Double on cpu; all must be Float on cpu");
}

}  // namespace
}  // namespace vitrine

#include "framework/training/optimizer.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/linear.h>
#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/rmsprop.h>
#include <torch/optim/sgd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "framework/files/file.h"
#include "framework/model/model.h"
#include "tests/component.h"

namespace vitrine {
namespace {

// A small problem whose gradients change from step to step; its start is the same each time.
struct Problem {
  Problem() : model(5, 3) {
    Tensor weight = model->weight.detach(), bias = model->bias.detach();
    weight.copy_(at::arange(15, at::kFloat).sin().view({3, 5}));
    bias.copy_(at::arange(3, at::kFloat).cos());
  }
  void backward(int step) {
    const Tensor x = (at::arange(20, at::kFloat) + step).cos().view({4, 5});
    (model(x).sin() - 0.3).square().sum().backward();
  }

  torch::nn::Linear model;
};

struct Ours {
  explicit Ours(const std::string& yaml)
      : parameters(*problem.model), optimizer(make<Optimizer>(yaml, {parameters})) {}
  void train(int first, int last) {
    for (int step = first; step < last; ++step) {
      parameters.gradients().zero_();
      problem.backward(step);
      optimizer->step(optimizer->learning_rate());
    }
  }

  Problem problem;
  FlatParameters parameters;
  std::shared_ptr<Optimizer> optimizer;
};

double distance_from(const std::string& yaml, std::unique_ptr<torch::optim::Optimizer> (
                                                  *make_reference)(std::vector<Tensor>)) {
  Ours ours(yaml);
  Problem problem;
  const auto reference = make_reference(problem.model->parameters());
  ours.train(0, 20);
  for (int step = 0; step < 20; ++step) {
    reference->zero_grad();
    problem.backward(step);
    reference->step();
  }
  const Tensor difference =
      (ours.problem.model->weight - problem.model->weight).detach().abs().max();
  return std::max(
      difference.item<double>(),
      (ours.problem.model->bias - problem.model->bias).detach().abs().max().item<double>());
}

template <class Kind, class Options>
std::unique_ptr<torch::optim::Optimizer> reference(std::vector<Tensor> parameters,
                                                   Options options) {
  return std::make_unique<Kind>(std::move(parameters), options);
}

using Parameters = std::vector<Tensor>;

TEST_CASE("adam takes PyTorch's steps") {
  using namespace torch::optim;
  CHECK(distance_from("{type: adam, lr: 0.01}",
                      [](Parameters p) { return reference<Adam>(p, AdamOptions(0.01)); }) < 1e-6);
  CHECK(
      distance_from(
          "{type: adam, lr: 0.05, betas: [0.8, 0.95], eps: 1e-4, weight_decay: 0.1, amsgrad: true}",
          [](Parameters p) {
            return reference<Adam>(
                p, AdamOptions(0.05).betas({0.8, 0.95}).eps(1e-4).weight_decay(0.1).amsgrad(true));
          }) < 1e-6);
}

// PyTorch's, with groups: of the weight, and of the bias, which weight decay is kept from.
template <class Kind, class Options>
std::unique_ptr<torch::optim::Optimizer> in_groups(const std::vector<Tensor>& parameters,
                                                   const Options& options) {
  Options without = options;
  without.weight_decay(0);
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(Parameters{parameters[0]}, std::make_unique<Options>(options));
  groups.emplace_back(Parameters{parameters[1]}, std::make_unique<Options>(without));
  // A group takes these where its own are PyTorch's defaults.
  return std::make_unique<Kind>(std::move(groups), without);
}

TEST_CASE("adamw on all parameters takes PyTorch's steps") {
  using namespace torch::optim;
  CHECK(distance_from("{type: adamw, lr: 0.01, exclude_bias_and_norm: false}",
                      [](Parameters p) { return reference<AdamW>(p, AdamWOptions(0.01)); }) < 1e-6);
  CHECK(
      distance_from("{type: adamw, lr: 0.05, betas: [0.8, 0.95], weight_decay: 0.3, amsgrad: true, "
                    "exclude_bias_and_norm: false}",
                    [](Parameters p) {
                      return reference<AdamW>(
                          p, AdamWOptions(0.05).betas({0.8, 0.95}).weight_decay(0.3).amsgrad(true));
                    }) < 1e-6);
}

TEST_CASE("weight decay is kept from biases: of adamw by itself, of others where it is asked for") {
  using namespace torch::optim;
  CHECK(
      distance_from("{type: adamw, lr: 0.05, weight_decay: 0.3, amsgrad: true}", [](Parameters p) {
        return in_groups<AdamW>(p, AdamWOptions(0.05).weight_decay(0.3).amsgrad(true));
      }) < 1e-6);
  CHECK(distance_from("{type: adam, lr: 0.05, weight_decay: 0.3, exclude_bias_and_norm: true}",
                      [](Parameters p) {
                        return in_groups<Adam>(p, AdamOptions(0.05).weight_decay(0.3));
                      }) < 1e-6);
  CHECK(distance_from("{type: sgd, lr: 0.01, momentum: 0.9, dampening: 0.2, weight_decay: 0.3, "
                      "exclude_bias_and_norm: true}",
                      [](Parameters p) {
                        return in_groups<SGD>(
                            p, SGDOptions(0.01).momentum(0.9).dampening(0.2).weight_decay(0.3));
                      }) < 1e-6);
  CHECK(distance_from(
            "{type: rmsprop, momentum: 0.5, weight_decay: 0.3, exclude_bias_and_norm: true}",
            [](Parameters p) {
              return in_groups<RMSprop>(p, RMSpropOptions(0.01).momentum(0.5).weight_decay(0.3));
            }) < 1e-6);
}

// Made by tests/golden/make_optimizer_golden.py.
TEST_CASE("lion and lamb take the steps of their papers") {
  const auto golden = nlohmann::json::parse(read_file(
      std::filesystem::path(VITRINE_SOURCE_DIR) / "tests/golden/optimizer.json", 1 << 20));
  for (const char* name : {"lion", "lamb"}) {
    for (const auto& [yaml, expected] : golden.at(name).items()) {
      INFO(yaml);
      Ours ours(yaml);
      ours.train(0, 20);
      const auto distance = [](const Tensor& got, const nlohmann::json& wanted) {
        const Tensor numbers = at::tensor(wanted.get<std::vector<double>>());
        return (got.detach().flatten() - numbers).abs().max().item<double>();
      };
      CHECK(distance(ours.problem.model->weight, expected.at("weight")) < 1e-6);
      CHECK(distance(ours.problem.model->bias, expected.at("bias")) < 1e-6);
    }
  }
}

TEST_CASE("lamb moves a parameter that is zero, and one without a gradient stays") {
  Ours ours("{type: lamb, lr: 0.5, exclude_bias_and_norm: false, weight_decay: 0}");
  ours.parameters.values().zero_();
  ours.parameters.gradients().narrow(0, 0, 15).fill_(3);  // of the weight alone
  ours.optimizer->step(0.5);
  CHECK(ours.problem.model->weight.min().item<float>() == Approx(-0.5).epsilon(1e-5));
  CHECK(ours.problem.model->weight.max().item<float>() == Approx(-0.5).epsilon(1e-5));
  CHECK(ours.problem.model->bias.abs().max().item<float>() == 0);
}

TEST_CASE("sgd takes PyTorch's steps") {
  using namespace torch::optim;
  CHECK(distance_from("{type: sgd, lr: 0.01, weight_decay: 0.1}", [](Parameters p) {
          return reference<SGD>(p, SGDOptions(0.01).weight_decay(0.1));
        }) < 1e-6);
  CHECK(distance_from("{type: sgd, lr: 0.01, momentum: 0.9, dampening: 0.2, weight_decay: 0.1}",
                      [](Parameters p) {
                        return reference<SGD>(
                            p, SGDOptions(0.01).momentum(0.9).dampening(0.2).weight_decay(0.1));
                      }) < 1e-6);
  CHECK(distance_from("{type: sgd, lr: 0.01, momentum: 0.9, nesterov: true}", [](Parameters p) {
          return reference<SGD>(p, SGDOptions(0.01).momentum(0.9).nesterov(true));
        }) < 1e-6);
}

TEST_CASE("rmsprop takes PyTorch's steps") {
  using namespace torch::optim;
  CHECK(distance_from("rmsprop", [](Parameters p) {
          return reference<RMSprop>(p, RMSpropOptions(0.01));
        }) < 1e-6);
  CHECK(distance_from(
            "{type: rmsprop, lr: 0.02, alpha: 0.9, eps: 1e-5, weight_decay: 0.1, momentum: 0.5}",
            [](Parameters p) {
              return reference<RMSprop>(
                  p, RMSpropOptions(0.02).alpha(0.9).eps(1e-5).weight_decay(0.1).momentum(0.5));
            }) < 1e-6);
  // The deviation from the mean loses digits near 0, so PyTorch's own order of sums is kept.
  CHECK(distance_from("{type: rmsprop, centered: true, eps: 1e-3}", [](Parameters p) {
          return reference<RMSprop>(p, RMSpropOptions(0.01).centered(true).eps(1e-3));
        }) < 1e-6);
}

TEST_CASE("an optimizer that is restored goes on with the same bits") {
  const std::string yaml = GENERATE(
      as<std::string>(), "adam", "{type: adam, amsgrad: true}", "adamw",
      "{type: adamw, amsgrad: true}", "sgd", "{type: sgd, momentum: 0.9, dampening: 0.5}",
      "{type: sgd, momentum: 0.9, nesterov: true}", "rmsprop",
      "{type: rmsprop, momentum: 0.9, centered: true}", "lion", "{type: lion, weight_decay: 0.5}",
      "lamb", "{type: lamb, exclude_bias_and_norm: false}",
      "{type: sgd, momentum: 0.9, weight_decay: 0.1, exclude_bias_and_norm: true}");
  INFO(yaml);
  Ours whole(yaml), first(yaml), second(yaml);
  whole.train(0, 20);
  first.train(0, 7);
  second.parameters.values().copy_(first.parameters.values());
  auto restored = second.optimizer->slots();
  for (const auto& [name, tensor] : first.optimizer->slots()) restored.at(name).copy_(tensor);
  second.train(7, 20);
  CHECK(at::equal(second.parameters.values(), whole.parameters.values()));
}

TEST_CASE("rules between the options of optimizers") {
  CHECK(problems_of<Optimizer>("{type: adam, betas: [0.9]}") ==
        "test.yaml:1:25: optimizer: betas takes two numbers, got 1\n"
        "    1 | it: {type: adam, betas: [0.9]}\n"
        "      |                         ^");
  CHECK(problems_of<Optimizer>("{type: sgd, nesterov: true}") ==
        "test.yaml:1:27: optimizer: nesterov needs a momentum above 0\n"
        "    1 | it: {type: sgd, nesterov: true}\n"
        "      |                           ^ momentum is a default");
  CHECK(problems_of<Optimizer>("{type: sgd, nesterov: true, momentum: 0.9, dampening: 0.5}") ==
        "test.yaml:1:27: optimizer: nesterov needs a dampening of 0\n"
        "    1 | it: {type: sgd, nesterov: true, momentum: 0.9, dampening: 0.5}\n"
        "      |                           ^ dampening is at test.yaml:1:59");
  CHECK(problems_of<Optimizer>("{type: sgd, dampening: 0.5}") ==
        "test.yaml:1:17: optimizer.dampening has no effect: momentum is 0\n"
        "    1 | it: {type: sgd, dampening: 0.5}\n"
        "      |                 ^ remove it");
  CHECK(problems_of<Optimizer>("{type: sgd, momentum: 0, dampening: 0, nesterov: false}") == "");
}

TEST_CASE("weight decay that is kept from some parameters is one") {
  CHECK(problems_of<Optimizer>("{type: adam, exclude_bias_and_norm: true}") ==
        "test.yaml:1:18: optimizer.exclude_bias_and_norm has no effect: weight_decay is 0\n"
        "    1 | it: {type: adam, exclude_bias_and_norm: true}\n"
        "      |                  ^ remove it");
  // The default, which a resolved config spells out, and what has an effect of its own.
  for (const char* sound : {"{type: adam, exclude_bias_and_norm: false}",
                            "{type: adamw, weight_decay: 0, exclude_bias_and_norm: true}",
                            "{type: lamb, weight_decay: 0, exclude_bias_and_norm: false}",
                            "{type: adam, weight_decay: 0.1, exclude_bias_and_norm: true}"}) {
    CHECK(problems_of<Optimizer>(sound) == "");
  }
}

// A layer behind another, and a head; none of them computes anything here.
class Layered : public Model {
 public:
  explicit Layered(bool tells) : tells_(tells) {
    for (const char* name : {"first", "second", "norm", "head"})
      register_module(name, torch::nn::Linear(4, 4));
    register_parameter("table", at::ones({3, 4}));
  }
  std::vector<Value> forward(const Value&) override { return {}; }
  const std::vector<Task>& tasks() const override { return tasks_; }
  std::vector<std::vector<std::string>> layers() const override {
    if (!tells_) return {};
    return {{"first", "table"}, {"second"}};
  }
  std::vector<std::string> heads() const override {
    return tells_ ? std::vector<std::string>{"head"} : std::vector<std::string>();
  }
  std::vector<std::string> no_weight_decay() const override { return {"table"}; }

 private:
  bool tells_;
  std::vector<Task> tasks_;
};

// The parameters by name after three steps along gradients that do not depend on them.
std::map<std::string, Tensor> trained(const std::string& yaml, double factor = 1) {
  Layered model(true);
  FlatParameters parameters(model);
  const Tensor numbers = at::arange(parameters.values().numel(), at::kFloat);
  for (auto& [name, values] : parameters.by_name(parameters.values()))
    values.copy_(parameters.by_name(numbers.sin()).at(name));
  const auto optimizer = make<Optimizer>(yaml, {parameters});
  for (int step = 0; step < 3; ++step) {
    for (auto& [name, values] : parameters.by_name(parameters.gradients()))
      values.copy_(parameters.by_name((numbers + step).cos()).at(name));
    optimizer->step(factor * optimizer->learning_rate());
  }
  return parameters.by_name(parameters.values().clone());
}

TEST_CASE("every optimizer steps early layers less and heads as they are told") {
  const std::string type =
      GENERATE(as<std::string>(), "type: adam", "type: adamw", "type: lion", "type: lamb",
               "type: rmsprop, momentum: 0.5", "type: sgd, momentum: 0.9, dampening: 0.5");
  INFO(type);
  const std::string own = type + ", lr: 0.01, weight_decay: 0.1, exclude_bias_and_norm: true";
  const auto got = trained("{" + own + ", layer_decay: 0.5, head_lr_factor: 3}");
  const std::map<std::string, double> factors = {
      {"first", 0.25}, {"table", 0.25}, {"second", 0.5}, {"norm", 1}, {"head", 3}};
  for (const auto& [name, values] : got) {
    INFO(name);
    const Tensor expected =
        trained("{" + own + "}", factors.at(name.substr(0, name.find('.')))).at(name);
    CHECK((values - expected).abs().max().item<double>() < 1e-7);
  }
}

TEST_CASE("what is trained later keeps its bits, then steps as one that begins") {
  const std::string type =
      GENERATE(as<std::string>(), "type: adam", "type: adamw", "type: lion", "type: lamb",
               "type: rmsprop, momentum: 0.5", "type: sgd, momentum: 0.9, dampening: 0.5");
  INFO(type);
  const std::string yaml =
      "{" + type + ", lr: 0.01, weight_decay: 0.1, exclude_bias_and_norm: true}";
  const auto step = [](FlatParameters& parameters, Optimizer& optimizer, int number) {
    for (auto& [name, values] : parameters.by_name(parameters.gradients())) {
      const int64_t n = values.numel();
      values.copy_((at::arange(n, at::kFloat) + number).cos().view(values.sizes()));
    }
    optimizer.step(optimizer.learning_rate());
  };
  const auto set = [](FlatParameters& parameters) {
    for (auto& [name, values] : parameters.by_name(parameters.values()))
      values.copy_(at::arange(values.numel(), at::kFloat).sin().view(values.sizes()));
  };
  torch::nn::Sequential model(torch::nn::Linear(5, 4), torch::nn::Linear(4, 3));
  for (auto& item : model->named_parameters()) {
    if (item.key().starts_with("1.")) item.value().set_requires_grad(false);
  }
  FlatParameters parameters(*model, {{"1.weight", "1.bias"}});
  REQUIRE(parameters.slices().size() == 4);
  set(parameters);
  const auto optimizer = make<Optimizer>(yaml, {parameters});
  const auto later = [&] {
    auto out = parameters.by_name(parameters.values().clone());
    return std::map<std::string, Tensor>{{"weight", out.at("1.weight")},
                                         {"bias", out.at("1.bias")}};
  };
  const auto before = later();
  for (int i = 0; i < 3; ++i) step(parameters, *optimizer, i);
  for (const auto& [name, values] : later()) CHECK(at::equal(values, before.at(name)));
  for (const auto& [slot, tensor] : optimizer->slots()) {
    if (tensor.numel() == 1) continue;
    CHECK(parameters.by_name(tensor).at("1.weight").abs().max().item<float>() == 0);
  }
  for (auto& parameter : model->parameters()) parameter.set_requires_grad(true);

  torch::nn::Linear alone(4, 3);
  FlatParameters own(*alone);
  set(own);
  const auto fresh = make<Optimizer>(yaml, {own});
  for (int i = 3; i < 6; ++i) {
    step(parameters, *optimizer, i);
    step(own, *fresh, i);
  }
  const auto expected = own.by_name(own.values());
  for (const auto& [name, values] : later())
    CHECK((values - expected.at(name)).abs().max().item<double>() < 1e-7);
}

TEST_CASE("weight decay is kept from what a model says, and from vectors") {
  const auto with = trained("{type: adamw, weight_decay: 0.5}");
  const auto without = trained("{type: adamw, weight_decay: 0}");
  for (const auto& [name, values] : with) {
    INFO(name);
    CHECK(at::equal(values, without.at(name)) == !name.ends_with(".weight"));
  }
}

TEST_CASE("factors that a model gives no ground for have no effect") {
  const Layered model(false);
  CHECK(problems_of<Optimizer>("{type: adam, layer_decay: 0.5, head_lr_factor: 2}", {model}) ==
        "test.yaml:1:18: optimizer.layer_decay has no effect: the model does not tell its layers\n"
        "    1 | it: {type: adam, layer_decay: 0.5, head_lr_factor: 2}\n"
        "      |                  ^ remove it\n"
        "test.yaml:1:36: optimizer.head_lr_factor has no effect: the model does not tell its "
        "heads\n"
        "    1 | it: {type: adam, layer_decay: 0.5, head_lr_factor: 2}\n"
        "      |                                    ^ remove it");
  CHECK(problems_of<Optimizer>("{type: adam, layer_decay: 1, head_lr_factor: 1}", {model}) == "");
  CHECK(problems_of<Optimizer>("{type: adam, layer_decay: 0}") ==
        "test.yaml:1:31: optimizer.layer_decay: expected a number above 0, at most 1, got 0\n"
        "    1 | it: {type: adam, layer_decay: 0}\n"
        "      |                               ^");
}

}  // namespace
}  // namespace vitrine

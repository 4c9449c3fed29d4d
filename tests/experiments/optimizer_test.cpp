#include "framework/training/optimizer.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/rmsprop.h>
#include <torch/optim/sgd.h>

#include "framework/training/torch.h"
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
      : parameters(*problem.model), optimizer(make<Optimizer>(yaml, {&parameters})) {}
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

TEST_CASE("adamw takes PyTorch's steps") {
  using namespace torch::optim;
  CHECK(distance_from("{type: adamw, lr: 0.01}",
                      [](Parameters p) { return reference<AdamW>(p, AdamWOptions(0.01)); }) < 1e-6);
  CHECK(
      distance_from("{type: adamw, lr: 0.05, betas: [0.8, 0.95], weight_decay: 0.3, amsgrad: true}",
                    [](Parameters p) {
                      return reference<AdamW>(
                          p, AdamWOptions(0.05).betas({0.8, 0.95}).weight_decay(0.3).amsgrad(true));
                    }) < 1e-6);
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
  const std::string yaml =
      GENERATE(as<std::string>(), "adam", "{type: adam, amsgrad: true}", "adamw",
               "{type: adamw, amsgrad: true}", "sgd", "{type: sgd, momentum: 0.9, dampening: 0.5}",
               "{type: sgd, momentum: 0.9, nesterov: true}", "rmsprop",
               "{type: rmsprop, momentum: 0.9, centered: true}");
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
  CHECK(problems_of<Optimizer>("{type: adam, betas: [0.9]}", {}) ==
        "test.yaml:1:25: optimizer: betas takes two numbers, got 1\n"
        "    1 | it: {type: adam, betas: [0.9]}\n"
        "      |                         ^");
  CHECK(problems_of<Optimizer>("{type: sgd, nesterov: true}", {}) ==
        "test.yaml:1:27: optimizer: nesterov needs a momentum above 0\n"
        "    1 | it: {type: sgd, nesterov: true}\n"
        "      |                           ^ momentum is a default");
  CHECK(problems_of<Optimizer>("{type: sgd, nesterov: true, momentum: 0.9, dampening: 0.5}", {}) ==
        "test.yaml:1:27: optimizer: nesterov needs a dampening of 0\n"
        "    1 | it: {type: sgd, nesterov: true, momentum: 0.9, dampening: 0.5}\n"
        "      |                           ^ dampening is at test.yaml:1:59");
  CHECK(problems_of<Optimizer>("{type: sgd, dampening: 0.5}", {}) ==
        "test.yaml:1:17: optimizer.dampening has no effect: momentum is 0\n"
        "    1 | it: {type: sgd, dampening: 0.5}\n"
        "      |                 ^ remove it");
  CHECK(problems_of<Optimizer>("{type: sgd, momentum: 0, dampening: 0, nesterov: false}", {}) ==
        "");
}

}  // namespace
}  // namespace vitrine

#include <ATen/ops/equal.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/remainder.h>
#include <ATen/ops/softmax.h>

#include <cmath>

#include "framework/model/loss.h"
#include "framework/training/optimizer.h"
#include "framework/training/schedule.h"
#include "tests/component.h"

// What holds for every optimizer, loss and schedule there is.
namespace vitrine {
namespace {

bool all_finite(const Tensor& tensor) { return at::isfinite(tensor).all().item<bool>(); }

// Minimises the sum of squares of a linear layer's parameters.
struct Training {
  explicit Training(const std::string& optimizer) : model(4, 3), parameters(*model) {
    for (auto& [name, tensor] : parameters.by_name(parameters.values())) tensor.fill_(0.5);
    it = make<Optimizer>(optimizer, {parameters});
  }
  double loss() { return parameters.values().square().sum().item<double>(); }
  void step() {
    parameters.gradients().copy_(parameters.values() * 2);
    it->step(it->learning_rate());
  }

  torch::nn::Linear model;
  FlatParameters parameters;
  std::shared_ptr<Optimizer> it;
};

TEST_CASE("every optimizer descends, stays finite and leaves the gaps alone") {
  for (const std::string& name : Registry::instance().names("optimizer")) {
    INFO(name);
    Training training(name);
    const double before = training.loss();
    for (int i = 0; i < 10; ++i) training.step();
    CHECK(training.loss() < before);
    CHECK(all_finite(training.parameters.values()));
    CHECK(training.parameters.values().narrow(0, 12, 4).abs().max().item<float>() == 0);
    CHECK(training.it->learning_rate() > 0);
  }
}

TEST_CASE("every optimizer's slots can be saved and restored") {
  for (const std::string& name : Registry::instance().names("optimizer")) {
    INFO(name);
    Training first(name), second(name);
    for (int i = 0; i < 3; ++i) first.step();
    second.parameters.values().copy_(first.parameters.values());
    auto slots = second.it->slots();
    for (const auto& [slot, tensor] : first.it->slots()) {
      CHECK((tensor.numel() == 1 || tensor.sizes() == first.parameters.values().sizes()));
      slots.at(slot).copy_(tensor);
    }
    for (int i = 0; i < 3; ++i) {
      first.step();
      second.step();
    }
    CHECK(at::equal(first.parameters.values(), second.parameters.values()));
  }
}

// Tasks of every type that a loss suits, each with a target [6, 1, 1] or [6, 1, K].
std::vector<std::pair<Task, Tensor>> tasks_of(const std::string& loss) {
  Choice<Loss> choice(loss);
  Problems none;
  choice.read_default(Loss::kKind, none);
  std::vector<std::pair<Task, Tensor>> out;
  for (const TaskType type : choice.options<LossOptions>().types) {
    Task task;
    task.name = "class";
    task.type = type;
    task.names = {"a", "b", "c", "d"};
    if (!problems_of<Loss>(loss, {{task}}).empty()) task.names = {"a", "b"};
    const int64_t k = task.outputs();
    const Tensor classes = at::remainder(at::arange(6, at::kLong), k).to(at::kFloat);
    const Tensor rows = at::linspace(0, 1, 6 * k).view({6, 1, k});
    if (type == TaskType::kRegression) out.emplace_back(task, rows * 3);
    if (type == TaskType::kMultiLabel) out.emplace_back(task, rows.gt(0.4).to(at::kFloat));
    if (type != TaskType::kClassification) continue;
    for (const bool probabilities : {false, true}) {
      task.probabilities = probabilities;
      out.emplace_back(task, classes.view({6, 1, 1}));
      out.emplace_back(task, at::softmax(rows, -1));
    }
  }
  return out;
}

TEST_CASE("every loss is finite, positive and has a gradient, for all that it suits") {
  for (const std::string& name : Registry::instance().names("loss")) {
    for (const auto& [task, target] : tasks_of(name)) {
      INFO(name << " for " << to_string(task.type)
                << (task.probabilities ? " of probabilities" : ""));
      const int64_t k = task.outputs();
      Tensor output = at::linspace(-2, 3, 6 * k).view({6, k});
      if (task.probabilities) output = at::softmax(output, -1);
      output.requires_grad_();
      const Tensor loss =
          make<Loss>(name, {{task}})->forward(output.unsqueeze(1), target, task).tensor();
      CHECK(loss.sizes() == at::IntArrayRef({6, 1, 1}));
      CHECK(loss.min().item<double>() > 0);
      loss.mean().backward();
      CHECK(all_finite(output.grad()));
      CHECK(output.grad().abs().max().item<double>() > 0);
    }
  }
}

TEST_CASE("every schedule with a warm-up is finite, warms up and starts at its full rate") {
  for (const std::string& name : Registry::instance().names("schedule")) {
    INFO(name);
    const std::string yaml = "{type: " + name + ", warmup: 5 steps}";
    if (problems_of<Schedule>(yaml).find("schedule.warmup: unknown key") != std::string::npos)
      continue;  // it rises in its own way
    const auto schedule = make<Schedule>(yaml, {200, 10});
    CHECK(schedule->factor(0) == 0.2);
    CHECK(schedule->factor(4) == 1);
    CHECK(schedule->factor(5) == 1);
    for (int64_t step = 0; step < 220; ++step) {
      CHECK((schedule->factor(step) >= 0 && std::isfinite(schedule->factor(step))));
    }
  }
}

TEST_CASE("every schedule stays between 0 and its full rate, also behind the end") {
  for (const std::string& name : Registry::instance().names("schedule")) {
    INFO(name);
    const auto schedule = make<Schedule>(name, {200, 10});
    for (int64_t step = 0; step < 220; ++step)
      CHECK((schedule->factor(step) >= 0 && schedule->factor(step) <= 1));
  }
}

TEST_CASE("there are optimizers, losses and schedules") {
  for (const char* kind : {"optimizer", "loss", "schedule"})
    CHECK_FALSE(Registry::instance().names(kind).empty());
}

}  // namespace
}  // namespace vitrine

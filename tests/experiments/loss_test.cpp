#include "framework/model/loss.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/full.h>
#include <ATen/ops/huber_loss.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/mse_loss.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "framework/training/losses.h"
#include "framework/training/objective.h"
#include "tests/component.h"

namespace vitrine {
namespace {

Task task(int64_t classes, bool probabilities, const std::string& name = "class") {
  Task out;
  out.name = name;
  for (int64_t i = 0; i < classes; ++i) out.names.push_back(std::to_string(i));
  out.probabilities = probabilities;
  return out;
}

double value(const std::string& loss, const Tensor& output, const Task& task) {
  const Tensor target = at::tensor({2.0F, 0.0F}).view({2, 1, 1});
  return make<Loss>(loss, {{task}})
      ->forward(output.unsqueeze(1), target, task)
      .tensor()
      .mean()
      .item<double>();
}

const float kLogits[] = {1, 2, 4, 0, -1, 0.5};

Tensor logits() { return at::tensor(at::ArrayRef<float>(kLogits)).view({2, 3}); }

// Minus the log of the softmax, by hand.
double entropy_of(double right, double a, double b, double c) {
  return std::log(std::exp(a) + std::exp(b) + std::exp(c)) - right;
}

TEST_CASE("cross_entropy takes outputs for logits, also where they are probabilities") {
  const double expected = (entropy_of(4, 1, 2, 4) + entropy_of(0, 0, -1, 0.5)) / 2;
  CHECK(value("cross_entropy", logits(), task(3, false)) == Approx(expected).epsilon(1e-6));
  CHECK(value("cross_entropy", logits(), task(3, true)) == Approx(expected).epsilon(1e-6));
}

TEST_CASE("label smoothing spreads its share over all classes") {
  const double right = (entropy_of(4, 1, 2, 4) + entropy_of(0, 0, -1, 0.5)) / 2;
  const double all = (entropy_of(7.0 / 3, 1, 2, 4) + entropy_of(-0.5 / 3, 0, -1, 0.5)) / 2;
  CHECK(value("{type: cross_entropy, label_smoothing: 0.25}", logits(), task(3, false)) ==
        Approx(0.75 * right + 0.25 * all).epsilon(1e-6));
}

TEST_CASE("nll is the same for logits and for their probabilities") {
  const double expected = (entropy_of(4, 1, 2, 4) + entropy_of(0, 0, -1, 0.5)) / 2;
  CHECK(value("nll", logits(), task(3, false)) == Approx(expected).epsilon(1e-6));
  CHECK(value("nll", at::softmax(logits(), -1), task(3, true)) == Approx(expected).epsilon(1e-6));
}

TEST_CASE("the focal loss weighs each image by what its answer lacks") {
  const double first = entropy_of(4, 1, 2, 4), second = entropy_of(0, 0, -1, 0.5);
  const auto weighed = [](double loss, double gamma) {
    return std::pow(1 - std::exp(-loss), gamma) * loss;
  };
  CHECK(value("focal", logits(), task(3, false)) ==
        Approx((weighed(first, 2) + weighed(second, 2)) / 2).epsilon(1e-5));
  CHECK(value("{type: focal, gamma: 0.5}", at::softmax(logits(), -1), task(3, true)) ==
        Approx((weighed(first, 0.5) + weighed(second, 0.5)) / 2).epsilon(1e-5));
  CHECK(value("{type: focal, gamma: 0}", logits(), task(3, false)) ==
        Approx((first + second) / 2).epsilon(1e-6));
}

TEST_CASE("nll of a probability of 0 is finite") {
  const Tensor certain = at::tensor({1.0f, 0.0f, 0.0f, 1.0f, 0.0f, 0.0f}).view({2, 3});
  CHECK(value("nll", certain, task(3, true)) == Approx(87.336544 / 2).epsilon(1e-6));
}

TEST_CASE("mse compares with 1 for the right class and 0 for the others") {
  const double expected = (1 + 4 + 9 + 1 + 1 + 0.25) / 6;
  CHECK(value("mse", logits(), task(3, false)) == Approx(expected).epsilon(1e-6));
}

TEST_CASE("cross_entropy warns of a head that gives probabilities") {
  CHECK(make<Loss>("cross_entropy", {{task(10, true)}})->warning() ==
        "the head gives probabilities and cross_entropy expects logits: the loss cannot fall below "
        "1.46; "
        "`head: linear` trains faster (the tutorial does it this way)");
  CHECK(make<Loss>("cross_entropy", {{task(10, false), task(2, true, "above_five")}})->warning() ==
        "the head of task above_five gives probabilities and cross_entropy expects logits: the "
        "loss cannot fall "
        "below 0.31; `head: linear` trains faster (the tutorial does it this way)");
  CHECK(make<Loss>("cross_entropy", {{task(10, false)}})->warning() == "");
  CHECK(make<Loss>("nll", {{task(10, true)}})->warning() == "");
  CHECK(make<Loss>("mse", {{task(10, true)}})->warning() == "");
}

TEST_CASE("losses tell their unit") {
  CHECK(make<Loss>("cross_entropy", {{task(10, false)}})->unit() == "nats");
  CHECK(make<Loss>("nll", {{task(10, false)}})->unit() == "nats");
  CHECK(make<Loss>("mse", {{task(10, false)}})->unit() == "");
}

TEST_CASE("the loss that the warning names is reached by certainty") {
  const Tensor certain = at::tensor({0.0f, 0.0f, 1.0f, 1.0f, 0.0f, 0.0f}).view({2, 3});
  CHECK(value("cross_entropy", certain, task(3, true)) == Approx(0.551445).epsilon(1e-5));
  CHECK(make<Loss>("cross_entropy", {{task(3, true)}})->warning().find("below 0.55;") !=
        std::string::npos);
  CHECK(value("{type: cross_entropy, label_smoothing: 0.1}", certain, task(3, true)) ==
        Approx(0.618111).epsilon(1e-5));
  const auto smoothed =
      make<Loss>("{type: cross_entropy, label_smoothing: 0.1}", {{task(3, true)}});
  CHECK(smoothed->warning().find("below 0.62;") != std::string::npos);
}

Task task_of(TaskType type, int64_t outputs) {
  Task out = task(outputs, false);
  out.type = type;
  return out;
}

// What a batch minimises, and what the sums over batches of `size` images tell, which is the same
// where the batch is whole.
struct Minimised {
  double of_batch = 0, told = 0;
};

Minimised minimised(const std::string& loss, const Task& task, const Tensor& output,
                    const Tensor& labels, int64_t size) {
  Task named = task;
  named.usual_metric = task.type == TaskType::kRegression ? "mean_absolute_error" : "accuracy";
  const Objective objective({named}, make<Loss>(loss, {{named}}), {}, at::kCPU);
  Minimised out;
  Tensor all = at::zeros({objective.width()}, at::kDouble);
  for (int64_t first = 0; first < output.size(0); first += size) {
    const int64_t count = std::min(size, output.size(0) - first);
    const Tensor some = output.narrow(0, first, count);
    const auto targets = objective.targets({labels.narrow(0, first, count)});
    const TorchFeed feed{some, {targets[0].to(at::kFloat)}, {}};
    const WithFeed with_feed(feed);
    const Tensor losses = objective.losses({some.unsqueeze(1)})[0].tensor().view({-1});
    out.of_batch = losses.mean().item<double>();
    all += objective.sums({some}, {losses}, targets);
  }
  out.told = objective.measures()[0].value(all.const_data_ptr<double>(),
                                           static_cast<double>(output.size(0)));
  return out;
}

const Tensor kScores = at::linspace(-3, 4, 35).view({7, 5}).cos() * 3;

TEST_CASE("cross_entropy weighs, ignores and smooths as PyTorch does") {
  const Tensor labels = at::tensor({0, 4, 2, 2, 1, 3, 2}, at::kLong);
  const Tensor weights = at::tensor({1.F, 0.5F, 3.F, 0.F, 2.F});
  const auto wanted = [&](const Tensor& weight, int64_t ignored, double smoothing) {
    return at::cross_entropy_loss(kScores, labels, weight, at::Reduction::Mean, ignored, smoothing)
        .item<double>();
  };
  const Task five = task(5, false);
  for (const auto& [options, value] : std::vector<std::pair<std::string, double>>{
           {"class_weights: [1, 0.5, 3, 0, 2]", wanted(weights, -100, 0)},
           {"class_weights: [1, 0.5, 3, 0, 2], label_smoothing: 0.2", wanted(weights, -100, 0.2)},
           {"ignore_index: 2", wanted({}, 2, 0)},
           {"ignore_index: 4, label_smoothing: 0.2", wanted({}, 4, 0.2)},
           {"class_weights: [1, 0.5, 3, 0, 2], ignore_index: 2, label_smoothing: 0.1",
            wanted(weights, 2, 0.1)}}) {
    CAPTURE(options);
    const std::string loss = "{type: cross_entropy, " + options + "}";
    const Minimised whole = minimised(loss, five, kScores, labels, 7);
    CHECK(whole.of_batch == Approx(value).epsilon(1e-5));
    CHECK(whole.told == Approx(value).epsilon(1e-5));
    // However the images are cut into batches.
    CHECK(minimised(loss, five, kScores, labels, 3).told == Approx(value).epsilon(1e-5));
  }
}

TEST_CASE("a label that is ignored need be no class, and a batch of nothing else is 0") {
  const Tensor labels = at::tensor({0, -1, 2, -1, 1, -1, 2}, at::kLong);
  const double wanted =
      at::cross_entropy_loss(kScores, labels, {}, at::Reduction::Mean, -1, 0.0).item<double>();
  const std::string loss = "{type: cross_entropy, ignore_index: -1}";
  CHECK(minimised(loss, task(5, false), kScores, labels, 7).told == Approx(wanted).epsilon(1e-5));
  const Minimised nothing =
      minimised(loss, task(5, false), kScores, at::full({7}, -1, at::kLong), 7);
  CHECK(nothing.of_batch == 0);
  CHECK(nothing.told == 0);
}

TEST_CASE("shares of classes are targets of every loss of classification") {
  Task soft = task(5, false);
  soft.is_distribution = true;
  const Tensor shares = at::softmax(kScores.flip({0, 1}), 1), logs = kScores.log_softmax(1);
  const auto told = [&](const std::string& loss) {
    return minimised(loss, soft, kScores, shares, 3).told;
  };
  const auto torch = [&](const Tensor& weight, double smoothing) {
    return Approx(
               at::cross_entropy_loss(kScores, shares, weight, at::Reduction::Mean, -100, smoothing)
                   .item<double>())
        .epsilon(1e-5);
  };
  const Tensor weights = at::tensor({1.F, 0.5F, 3.F, 0.F, 2.F});
  CHECK(told("cross_entropy") == torch({}, 0));
  CHECK(told("{type: cross_entropy, label_smoothing: 0.2}") == torch({}, 0.2));
  CHECK(told("{type: cross_entropy, label_smoothing: 0.2, class_weights: [1, 0.5, 3, 0, 2]}") ==
        torch(weights, 0.2));
  CHECK(told("nll") == torch({}, 0));
  CHECK(told("{type: focal, gamma: 0}") == torch({}, 0));
  const Tensor focal = -(shares * (1 - logs.exp()).square() * logs).sum(1).mean();
  CHECK(told("focal") == Approx(focal.item<double>()).epsilon(1e-5));
  CHECK(told("mse") == Approx(at::mse_loss(kScores, shares).item<double>()).epsilon(1e-5));
  // The number of a class is the same as all of its share.
  const Tensor labels = at::tensor({0, 4, 2, 2, 1, 3, 2}, at::kLong);
  for (const std::string& name : Registry::instance().names("loss")) {
    if (!problems_of<Loss>(name, {{soft}}).empty() || name == "huber") continue;
    CAPTURE(name);
    const Tensor certain = at::zeros({7, 5}).scatter(1, labels.unsqueeze(1), 1);
    CHECK(minimised(name, soft, kScores, certain, 7).told ==
          Approx(minimised(name, task(5, false), kScores, labels, 7).told).epsilon(1e-5));
  }
}

TEST_CASE("binary_cross_entropy is PyTorch's, and finite for any logit") {
  const Task parts = task_of(TaskType::kMultiLabel, 5);
  const Tensor targets = kScores.flip({0}).gt(0.5).to(at::kFloat);
  const auto torch = [&](const Tensor& logits, const Tensor& pos_weight) {
    return Approx(
               at::binary_cross_entropy_with_logits(logits, targets, {}, pos_weight).item<double>())
        .epsilon(1e-5);
  };
  CHECK(minimised("binary_cross_entropy", parts, kScores, targets, 3).told == torch(kScores, {}));
  CHECK(minimised("{type: binary_cross_entropy, pos_weight: 3}", parts, kScores, targets, 3).told ==
        torch(kScores, at::full({5}, 3.0)));
  CHECK(minimised("{type: binary_cross_entropy, pos_weight: [1, 2, 3, 4, 5]}", parts, kScores,
                  targets, 3)
            .told == torch(kScores, at::arange(1, 6).to(at::kFloat)));
  const Tensor far = kScores * 1000;
  CHECK(minimised("binary_cross_entropy", parts, far, targets, 3).told == torch(far, {}));
}

TEST_CASE("a logit of 0 has the gradient of even odds") {
  Tensor logits = at::zeros({1, 2}).requires_grad_();
  const Task parts = task_of(TaskType::kMultiLabel, 2);
  const Tensor target = at::tensor({1.F, 0.F}).view({1, 1, 2});
  make<Loss>("binary_cross_entropy", {{parts}})
      ->forward(logits.unsqueeze(1), target, parts)
      .tensor()
      .sum()
      .backward();
  CHECK(at::allclose(logits.grad(), at::tensor({-0.25F, 0.25F}).view({1, 2})));
}

TEST_CASE("binary_cross_entropy of two classes is that of the second") {
  const Tensor logits = kScores.slice(1, 0, 2),
               labels = at::tensor({0, 1, 1, 0, 1, 0, 1}, at::kLong);
  const double wanted = at::cross_entropy_loss(logits, labels).item<double>();
  CHECK(minimised("binary_cross_entropy", task(2, false), logits, labels, 3).told ==
        Approx(wanted).epsilon(1e-5));
  CHECK(minimised("binary_cross_entropy", task(2, true), at::softmax(logits, 1), labels, 3).told ==
        Approx(wanted).epsilon(1e-5));
}

TEST_CASE("losses of values are PyTorch's") {
  const Task values = task_of(TaskType::kRegression, 5);
  const Tensor targets = kScores.flip({0, 1}) * 0.75;
  CHECK(minimised("mse", values, kScores, targets, 3).told ==
        Approx(at::mse_loss(kScores, targets).item<double>()).epsilon(1e-5));
  for (const double delta : {0.25, 1.0, 3.0}) {
    CHECK(minimised(fmt::format("{{type: huber, delta: {}}}", delta), values, kScores, targets, 3)
              .told ==
          Approx(at::huber_loss(kScores, targets, at::Reduction::Mean, delta).item<double>())
              .epsilon(1e-5));
  }
}

TEST_CASE("options that do not fit a task are refused") {
  CHECK(problems_of<Loss>("{type: cross_entropy, class_weights: [1, 2]}", {{task(3, false)}}) ==
        "test.yaml:1:42: loss: class_weights: 2 weights for the 3 classes of the task class\n"
        "    1 | it: {type: cross_entropy, class_weights: [1, 2]}\n"
        "      |                                          ^");
  CHECK(problems_of<Loss>("{type: cross_entropy, class_weights: [0, 0]}", {{task(2, false)}}) ==
        "test.yaml:1:42: loss: class_weights: no class counts\n"
        "    1 | it: {type: cross_entropy, class_weights: [0, 0]}\n"
        "      |                                          ^");
  CHECK_THAT(problems_of<Loss>("binary_cross_entropy", {{task(3, false)}}),
             Contains("binary_cross_entropy is for two classes or several labels, and the task "
                      "class has 3 classes"));
  CHECK_THAT(problems_of<Loss>("{type: binary_cross_entropy, pos_weight: [1, 2]}",
                               {{task_of(TaskType::kMultiLabel, 3)}}),
             Contains("pos_weight: 2 weights for the task class, which has 3 labels"));
}

TEST_CASE("each task has its own loss, else the config's where it suits, else its usual one") {
  Task digit = task(3, false, "digit"), value = task_of(TaskType::kRegression, 1),
       parts = task_of(TaskType::kMultiLabel, 2);
  value.name = "value";
  value.usual_loss = "mse";
  parts.name = "parts";
  parts.usual_loss = "binary_cross_entropy";
  const auto choice = [](const std::string& name) {
    Choice<Loss> out(name);
    Problems none;
    out.read_default("loss", none);
    return out;
  };
  const auto chosen = [&](const std::string& of_config) {
    std::string out;
    for (const Task& each : {digit, value, parts})
      out += loss_for(choice(of_config), each).type() + " ";
    return out;
  };
  CHECK(chosen("cross_entropy") == "cross_entropy mse binary_cross_entropy ");
  digit.usual_loss = "cross_entropy";
  CHECK(chosen("huber") == "cross_entropy huber binary_cross_entropy ");
  CHECK(chosen("mse") == "mse mse binary_cross_entropy ");
  value.loss = choice("huber");
  CHECK(chosen("mse") == "mse huber binary_cross_entropy ");
  const auto losses = make_losses(choice("cross_entropy"), {digit, value});
  CHECK(losses->unit() == "");
  CHECK(losses->of(digit).unit() == "nats");
  CHECK(losses->of(value).unit() == "");
  CHECK(make_losses(choice("cross_entropy"), {digit, parts})->unit() == "nats");
}

}  // namespace
}  // namespace vitrine

#include "framework/model/loss.h"

#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>

#include <cmath>

#include "tests/component.h"

namespace vitrine {
namespace {

Task task(int64_t classes, bool probabilities, const std::string& name = "class") {
  Task out;
  out.name = name;
  for (int64_t i = 0; i < classes; ++i) out.class_names.push_back(std::to_string(i));
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

}  // namespace
}  // namespace vitrine

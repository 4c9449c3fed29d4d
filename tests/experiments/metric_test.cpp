#include "framework/training/metric.h"

#include <ATen/ops/one_hot.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "tests/component.h"

namespace vitrine {
namespace {

Task task_of(int64_t classes) {
  Task out;
  for (int64_t c = 0; c < classes; ++c) out.class_names.push_back(std::to_string(c));
  out.probabilities = true;
  return out;
}

// Of outputs and targets in portions of `batch` images.
double value_of(const std::string& metric, const Tensor& outputs, const Tensor& targets,
                int64_t batch = 4) {
  const auto made = make<Metric>(metric, {task_of(outputs.size(1))});
  Tensor sums = at::zeros({made->width()}, at::kDouble);
  for (int64_t first = 0; first < outputs.size(0); first += batch) {
    const int64_t count = std::min(batch, outputs.size(0) - first);
    made->add(outputs.narrow(0, first, count), targets.narrow(0, first, count), sums);
  }
  return made->value(sums.const_data_ptr<double>(), static_cast<double>(outputs.size(0)));
}

// Ten images of three classes, six answers right.
const Tensor kOutputs = at::tensor({0.7, 0.2,  0.1,  0.2,  0.5, 0.3,  0.1,  0.3,  0.6, 0.45,
                                    0.4, 0.15, 0.25, 0.35, 0.4, 0.15, 0.05, 0.8,  0.3, 0.6,
                                    0.1, 0.55, 0.35, 0.1,  0.6, 0.15, 0.25, 0.05, 0.9, 0.05})
                            .view({10, 3})
                            .to(at::kFloat);
const Tensor kTargets = at::tensor({0, 1, 2, 1, 1, 2, 0, 0, 2, 1}, at::kLong);

}  // namespace

// The values are scikit-learn's (1.7), of accuracy_score, f1_score(average="macro") and so on.
TEST_CASE("metrics are what scikit-learn gives") {
  const auto near = [](double value) { return Approx(value).epsilon(1e-6); };
  CHECK(value_of("accuracy", kOutputs, kTargets) == near(0.6));
  CHECK(value_of("{type: top_k, k: 2}", kOutputs, kTargets) == near(1));
  CHECK(value_of("{type: top_k, k: 1}", kOutputs, kTargets) == near(0.6));
  CHECK(value_of("f1", kOutputs, kTargets) == near(0.6031746031746031));
  CHECK(value_of("precision", kOutputs, kTargets) == near(0.611111111111111));
  CHECK(value_of("recall", kOutputs, kTargets) == near(0.611111111111111));
  CHECK(value_of("balanced_accuracy", kOutputs, kTargets) == near(0.611111111111111));
  CHECK(value_of("auroc", kOutputs, kTargets) == near(0.8720238095238096));
  CHECK(value_of("{type: expected_calibration_error, bins: 5}", kOutputs, kTargets) ==
        near(0.08999999999999997));
}

TEST_CASE("of two classes the ROC curve is that of the second") {
  const Tensor of_second = kOutputs.select(1, 1);
  const Tensor outputs = at::stack({1 - of_second, of_second}, 1);
  CHECK(value_of("auroc", outputs, kTargets.eq(1).to(at::kLong)) ==
        Approx(0.8541666666666667).epsilon(1e-6));
  // Of one class alone there is none.
  CHECK(std::isnan(value_of("auroc", outputs, at::zeros({10}, at::kLong))));
}

// scikit-learn with zero_division=0.
TEST_CASE("classes that do not occur count as scikit-learn has it") {
  const Tensor targets = at::tensor({0, 0, 1, 1}, at::kLong);
  const Tensor answers = at::tensor({0, 2, 2, 1}, at::kLong);
  const Tensor outputs = at::one_hot(answers, 4).to(at::kFloat);  // the fourth is nowhere
  CHECK(value_of("f1", outputs, targets) == Approx(0.4444444444444444));
  CHECK(value_of("precision", outputs, targets) == Approx(0.6666666666666666));
  CHECK(value_of("recall", outputs, targets) == Approx(0.3333333333333333));
  CHECK(value_of("balanced_accuracy", outputs, targets) == Approx(0.5));
}

TEST_CASE("every metric is the same however images are cut into batches") {
  for (const std::string& name : Registry::instance().names("metric")) {
    INFO(name);
    const std::string metric = name == "top_k" ? "{type: top_k, k: 2}" : name;
    const double whole = value_of(metric, kOutputs, kTargets, 10);
    for (const int64_t batch : {1, 3, 7})
      CHECK(value_of(metric, kOutputs, kTargets, batch) == Approx(whole).epsilon(1e-12));
  }
}

TEST_CASE("a k that every answer meets is refused") {
  CHECK(problems_of<Metric>("{type: top_k, k: 3}", {task_of(3)}) ==
        "test.yaml:1:22: metric: one of the 3 likeliest of 3 classes is always right\n"
        "    1 | it: {type: top_k, k: 3}\n"
        "      |                      ^");
}

}  // namespace vitrine

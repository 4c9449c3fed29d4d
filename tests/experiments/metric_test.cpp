#include "framework/training/metric.h"

#include <ATen/ops/full.h>
#include <ATen/ops/one_hot.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "framework/files/file.h"
#include "tests/component.h"

namespace vitrine {
namespace {

Task task_of(int64_t outputs, TaskType type = TaskType::kClassification) {
  Task out;
  out.type = type;
  for (int64_t c = 0; c < outputs; ++c) out.names.push_back(std::to_string(c));
  out.probabilities = type == TaskType::kClassification;
  return out;
}

// Of outputs and targets in portions of `batch` images.
double value_of(const std::string& metric, const Tensor& outputs, const Tensor& targets,
                int64_t batch = 4, TaskType type = TaskType::kClassification) {
  const auto made = make<Metric>(metric, {task_of(outputs.size(1), type)});
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

// What the targets of a task of this type may be.
Tensor targets_of(TaskType type) {
  if (type == TaskType::kClassification) return kTargets;
  const Tensor rows = kOutputs.flip({0});
  return type == TaskType::kMultiLabel ? rows.gt(0.3).to(at::kFloat) : rows * 2;
}

TEST_CASE("every metric is the same however images are cut into batches") {
  for (const std::string& name : Registry::instance().names("metric")) {
    const std::string metric = name == "top_k" ? "{type: top_k, k: 2}" : name;
    Choice<Metric> choice(name);
    Problems none;
    choice.read_default(Metric::kKind, none);
    for (const TaskType type : choice.options<MetricOptions>().types) {
      INFO(name << " for " << to_string(type));
      const Tensor outputs = type == TaskType::kMultiLabel ? kOutputs - 0.3 : kOutputs;
      const Tensor targets = targets_of(type);
      const double whole = value_of(metric, outputs, targets, 10, type);
      CHECK(std::isfinite(whole));
      for (const int64_t batch : {1, 3, 7})
        CHECK(value_of(metric, outputs, targets, batch, type) == Approx(whole).epsilon(1e-12));
    }
  }
}

nlohmann::json golden(const std::string& part) {
  return nlohmann::json::parse(read_file(VITRINE_SOURCE_DIR "/tests/golden/metrics.json", 1 << 20))
      .at(part);
}

Tensor matrix(const nlohmann::json& rows) {
  std::vector<float> values;
  for (const auto& row : rows) {
    for (const auto& value : row) values.push_back(value.get<float>());
  }
  return at::tensor(values).view({static_cast<int64_t>(rows.size()), -1});
}

TEST_CASE("metrics of several labels and of values are what scikit-learn gives") {
  for (const TaskType type : {TaskType::kMultiLabel, TaskType::kRegression}) {
    for (const nlohmann::json& part : golden(to_string(type))) {
      const Tensor outputs = matrix(part.at("outputs")), targets = matrix(part.at("targets"));
      for (const auto& [name, value] : part.at("metrics").items()) {
        INFO(name << " for " << to_string(type));
        // The ROC curve is cut into bins.
        CHECK(value_of(name, outputs, targets, 7, type) ==
              Approx(value.get<double>()).epsilon(name == "auroc" ? 2e-3 : 1e-6));
      }
    }
  }
}

TEST_CASE("of equal targets no variance can be told") {
  const Tensor targets = at::full({5, 1}, 1999.1F);
  const Tensor outputs = targets + at::tensor({0.F, 1.F, 2.F, 0.F, 1.F}).unsqueeze(1);
  CHECK(std::isnan(value_of("r2", outputs, targets, 2, TaskType::kRegression)));
  CHECK(value_of("mean_absolute_error", outputs, targets, 2, TaskType::kRegression) ==
        Approx(0.8).epsilon(1e-4));
}

TEST_CASE("answers are told in words") {
  const Tensor output = at::tensor({-1.F, 0.25F, 3.F});
  CHECK(answer_text(output, task_of(3)) == "2");
  CHECK(answer_text(output, task_of(3, TaskType::kMultiLabel)) == "1, 2");
  CHECK(answer_text(-output.abs(), task_of(3, TaskType::kMultiLabel)) == "none");
  CHECK(answer_text(output, task_of(3, TaskType::kRegression)) == "-1, 0.25, 3");
}

TEST_CASE("a k that every answer meets is refused") {
  CHECK(problems_of<Metric>("{type: top_k, k: 3}", {task_of(3)}) ==
        "test.yaml:1:22: metric: one of the 3 likeliest of 3 classes is always right\n"
        "    1 | it: {type: top_k, k: 3}\n"
        "      |                      ^");
}

}  // namespace vitrine

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "framework/model/model_context.h"
#include "framework/registry/registry.h"
#include "framework/state/state.h"
#include "framework/tensor.h"

namespace vitrine {

struct MetricContext {
  Task task;
};

// The options that every metric has; its own derive from it and call its visit first.
struct MetricOptions {
  std::optional<std::string> task;
  // What a metric says of itself before it is made; no options.
  std::vector<TaskType> types = {TaskType::kClassification};  // of the tasks that it suits

  void visit(Fields& field) {
    field("task", task, "the task that it is counted of; null: every one that it suits");
  }
};

// What tells how good a task's answers are, computed from sums over images: so it is the same
// however images are cut into batches, in a run that was resumed, and for the sums of several
// processes.
class Metric : public Registered, public Stateful {
 public:
  static constexpr const char* kKind = "metric";
  using Context = MetricContext;
  using RequiredOptions = MetricOptions;

  // The name in rows and tables, where options make another metric of it ("top_3"); empty: the
  // component's.
  virtual std::string name() const { return ""; }
  virtual std::string goal() const { return "max"; }  // or "min"
  virtual std::string unit() const { return "fraction"; }

  // How many sums it keeps.
  virtual int64_t width() const = 0;
  // Adds those of a batch to `sums` (double [width]), in place. outputs [B, K] are the model's,
  // targets of a classification int64 [B], of others float [B, K]. On another device than the CPU
  // nothing may wait for it.
  virtual void add(const Tensor& outputs, const Tensor& targets, const Tensor& sums) const = 0;
  // The value that follows from the sums over so many images; NaN where they do not tell it.
  virtual double value(const double* sums, double images) const = 0;
};

// The probabilities [B, K] of classes, or of labels, that a task's outputs stand for.
Tensor probabilities_of(const Tensor& outputs, const Task& task);
// Whether each label [B, K] is among a multi-label task's answers: where it is likelier than not.
Tensor labels_answered(const Tensor& outputs);

// A task's answer, or a target in the same form, in words: "3", "cat, dog", "4.25, 1".
std::string answer_text(const Tensor& output, const Task& task);

// How often each class, or label, was right, was the answer, and was the target: what several
// metrics follow from. Their value is a mean over classes or labels.
class ClassCounts : public Metric {
 public:
  explicit ClassCounts(const MetricContext& context)
      : classes_(context.task.outputs()),
        is_multi_label_(context.task.type == TaskType::kMultiLabel) {}

  int64_t width() const override { return 3 * classes_; }
  void add(const Tensor& outputs, const Tensor& targets, const Tensor& sums) const override;
  double value(const double* sums, double images) const override;

 protected:
  struct Counts {
    double right = 0, answered = 0, targets = 0;
    double recall() const { return targets > 0 ? right / targets : 0; }
    double precision() const { return answered > 0 ? right / answered : 0; }
  };
  virtual double of_class(const Counts& counts) const = 0;
  // Whether a class counts; by default one that was an answer or a target. Labels all do.
  virtual bool counts(const Counts& counts) const {
    return counts.answered > 0 || counts.targets > 0;
  }

 private:
  int64_t classes_;
  bool is_multi_label_;
};

// Of metrics of several labels too.
struct LabelMetricOptions : MetricOptions {
  using SharedOptions = LabelMetricOptions;
  LabelMetricOptions() { types.push_back(TaskType::kMultiLabel); }
};

// Errors of a regression: of each value so many sums, from which its part of a mean over the values
// follows.
class RegressionMetric : public Metric {
 public:
  explicit RegressionMetric(const MetricContext& context, int64_t width_of_each = 1)
      : values_(context.task.outputs()), width_of_each_(width_of_each) {}

  std::string goal() const override { return "min"; }
  std::string unit() const override { return ""; }
  int64_t width() const override { return values_ * width_of_each_; }
  void add(const Tensor& outputs, const Tensor& targets, const Tensor& sums) const override;
  double value(const double* sums, double images) const override;

 protected:
  // [width_of_each, values] or, of one sum each, [values]: over images. Both are double [B,
  // values].
  virtual Tensor sums_of(const Tensor& outputs, const Tensor& targets) const = 0;
  // Of the sums of one value, which stand `stride` apart; by default the mean of one sum.
  virtual double of_value(const double* sums, int64_t /*stride*/, double images) const {
    return *sums / images;
  }

 private:
  int64_t values_, width_of_each_;
};

struct RegressionMetricOptions : MetricOptions {
  using SharedOptions = RegressionMetricOptions;
  RegressionMetricOptions() { types = {TaskType::kRegression}; }
};

}  // namespace vitrine

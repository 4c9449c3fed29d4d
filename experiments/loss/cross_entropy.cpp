#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "framework/error.h"
#include "framework/model/loss.h"
#include "framework/model/part.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

struct Options : LossOptions {
  double label_smoothing = 0;
  std::vector<double> class_weights;
  std::optional<int64_t> ignore_index;

  void visit(Fields& field) {
    field("label_smoothing", label_smoothing, "share of the target that is spread over all classes",
          from_below(0, 1))
        .words({"smoothing"});
    field("class_weights", class_weights,
          "what an image of each class counts; the loss of a batch is divided by their sum over it",
          at_least(0))
        .words({"weight", "weights", "class_weight"});
    field("ignore_index", ignore_index,
          "the label whose images count neither in the loss nor in metrics")
        .words({"ignore_label", "ignore"});
  }
  void check(const LossContext& context, Check& check) const {
    const bool all_zero = std::all_of(class_weights.begin(), class_weights.end(),
                                      [](double weight) { return weight == 0; });
    if (!class_weights.empty() && all_zero)
      return check.error({"class_weights"}, "class_weights: no class counts");
    const auto count = static_cast<int64_t>(class_weights.size());
    for (const Task& task : context.tasks) {
      if (count > 0 && count != task.outputs()) {
        check.error({"class_weights"},
                    fmt::format("class_weights: {} weights for the {} classes of the task {}",
                                count, task.outputs(), task.name));
      }
      if (ignore_index && task.is_distribution) {
        check.no_effect("ignore_index", fmt::format("the targets of the task {} are shares of its "
                                                    "classes, and no numbers",
                                                    task.name));
      }
    }
  }
};

// The least cross-entropy that probabilities taken for logits can reach: the right class ahead of
// the others by at most 1.
double floor_of_probabilities(double classes, double smoothing) {
  const double other = smoothing / classes, right = 1 - smoothing + other;
  const double ahead = other == 0 ? 1 : std::min(1.0, std::log(right / other));
  return std::log(std::exp(ahead) + classes - 1) - right * ahead;
}

class CrossEntropy : public Loss {
 public:
  CrossEntropy(const Options& options, const LossContext& context)
      : options_(options), tasks_(context.tasks) {
    if (!options.class_weights.empty())
      weights_ = FixedTable(at::tensor(options.class_weights).to(at::kFloat));
  }

  // Takes the outputs for logits, whatever the head gives.
  Value forward(const Value& output, const Value& target, const Task&) override {
    Value logs = log_softmax(output);
    if (!options_.class_weights.empty()) logs = logs * table(weights_.on(output));
    const Value loss = of_target(logs, target) * -1;
    const double smoothing = options_.label_smoothing;
    return smoothing == 0 ? loss : loss * (1 - smoothing) - mean_over_columns(logs) * smoothing;
  }

  std::optional<int64_t> ignored() const override { return options_.ignore_index; }
  std::vector<double> class_weights() const override { return options_.class_weights; }

  std::string warning() const override {
    for (const Task& task : tasks_) {
      if (!task.probabilities) continue;
      const std::string head =
          tasks_.size() == 1 ? "the head" : "the head of task " + escape(task.name);
      return fmt::format(
          "{} gives probabilities and cross_entropy expects logits: the loss cannot fall below "
          "{:.2f}; `head: linear` trains faster (the tutorial does it this way)",
          head,
          floor_of_probabilities(static_cast<double>(task.outputs()), options_.label_smoothing));
    }
    return "";
  }

 private:
  Options options_;
  std::vector<Task> tasks_;
  FixedTable weights_;  // [1, classes]
};

VITRINE_REGISTER(Loss, CrossEntropy, Options, "cross-entropy of the outputs, taken for logits")

}  // namespace
}  // namespace vitrine

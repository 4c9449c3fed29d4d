#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "framework/error.h"
#include "framework/model/loss.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

struct Options {
  double label_smoothing = 0;

  void visit(Fields& field) {
    field("label_smoothing", label_smoothing, "share of the target that is spread over all classes",
          from_below(0, 1))
        .words({"smoothing"});
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
      : options_(options), tasks_(context.tasks) {}

  // Takes the outputs for logits, whatever the head gives.
  Value forward(const Value& output, const Value& target, const Task&) override {
    const Value logs = log_softmax(output);
    const Value loss = pick(logs, target) * -1;
    const double smoothing = options_.label_smoothing;
    return smoothing == 0 ? loss : loss * (1 - smoothing) - mean_over_columns(logs) * smoothing;
  }

  std::string warning() const override {
    for (const Task& task : tasks_) {
      if (!task.probabilities) continue;
      const std::string head =
          tasks_.size() == 1 ? "the head" : "the head of task " + escape(task.name);
      return fmt::format(
          "{} gives probabilities and cross_entropy expects logits: the loss cannot fall below "
          "{:.2f}; `head: linear` trains faster (the tutorial does it this way)",
          head,
          floor_of_probabilities(static_cast<double>(task.classes()), options_.label_smoothing));
    }
    return "";
  }

 private:
  Options options_;
  std::vector<Task> tasks_;
};

VITRINE_REGISTER(Loss, CrossEntropy, Options, "cross-entropy of the outputs, taken for logits")

}  // namespace
}  // namespace vitrine

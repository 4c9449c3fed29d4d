#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include "framework/model/loss.h"
#include "framework/model/part.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

struct Options : LossOptions {
  std::vector<double> pos_weight;

  Options() { types.push_back(TaskType::kMultiLabel); }
  void visit(Fields& field) {
    field("pos_weight", pos_weight,
          "what an image that has a label counts: one for all labels, or one for each; none is 1",
          above(0))
        .words({"positive_weight"});
  }
  void check(const LossContext& context, Check& check) const {
    for (const Task& task : context.tasks) {
      const bool of_labels = task.type == TaskType::kMultiLabel;
      if (!of_labels && task.outputs() != 2) {
        check.error({"type"}, fmt::format("binary_cross_entropy is for two classes or several "
                                          "labels, and the task {} has {} classes",
                                          task.name, task.outputs()));
      }
      const auto count = static_cast<int64_t>(pos_weight.size()),
                 most = of_labels ? task.outputs() : 1;
      if (count > 1 && count != most) {
        check.error(
            {"pos_weight"},
            fmt::format("pos_weight: {} weights for the task {}, which has {}", count, task.name,
                        of_labels ? fmt::format("{} labels", most) : "one class beside the first"));
      }
    }
  }
};

// -(w t log(p) + (1 - t) log(1 - p)) of each label, or of the second of two classes.
class BinaryCrossEntropy : public Loss {
 public:
  BinaryCrossEntropy(const Options& options, const LossContext&)
      : has_weights_(!options.pos_weight.empty()) {
    if (has_weights_)
      weights_ = FixedTable(at::tensor(options.pos_weight).to(at::kFloat).unsqueeze(1));
  }

  Value forward(const Value& output, const Value& target, const Task& task) override {
    if (task.type == TaskType::kMultiLabel) return of_labels(transpose(output), transpose(target));
    // Of a class its number, of shares that of the second class.
    const Value of_second = target.columns() == 1 ? target : columns(target, 1, 1);
    return loss(log_probabilities(output, task), of_second);
  }

 private:
  // The logarithms of a label's probability and of its rest are those of two classes, whose logits
  // are its own and 0: so they are finite for any logit.
  Value of_labels(const Value& logits, const Value& target) {
    const Value logs = log_softmax(join_columns({logits * 0, logits}));
    return mean_over_tokens(loss(logs, target));
  }

  // logs [K, 2] of no and yes; target [K, 1], 1 for yes.
  Value loss(const Value& logs, const Value& target) {
    const Value of_no = columns(logs, 0, 1), of_yes = columns(logs, 1, 1);
    const Value met = has_weights_ ? target * table(weights_.on(logs)) : target;
    return (met * of_yes + of_no - target * of_no) * -1;
  }

  bool has_weights_;
  FixedTable weights_;  // [K or 1, 1]
};

VITRINE_REGISTER(Loss, BinaryCrossEntropy, Options,
                 "cross-entropy of each label by itself, or of the second of two classes")

}  // namespace
}  // namespace vitrine

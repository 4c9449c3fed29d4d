#include <ATen/ops/ones.h>

#include <limits>

#include "framework/model/loss.h"
#include "framework/model/part.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

struct Options : LossOptions {
  double gamma = 2;

  void visit(Fields& field) {
    field("gamma", gamma, "how much less images count that are right already; 0 is nll",
          at_least(0))
        .words({"focusing"});
  }
};

// Lin et al. 2017, "Focal Loss for Dense Object Detection", without its balance of classes:
// -(1 - p)^gamma log(p) of the probability p of the target; of shares of classes their mean.
class Focal : public Loss {
 public:
  Focal(const Options& options, const LossContext&) : gamma_(options.gamma) {}

  Value forward(const Value& output, const Value& target, const Task& task) override {
    constexpr float kTiny = std::numeric_limits<float>::min();  // keeps log(0) finite
    const Value logs = log_probabilities(output, task);
    if (gamma_ == 0) return of_target(logs, target) * -1;
    const bool is_class = target.columns() == 1;
    const Value log_p = is_class ? pick(logs, target) : logs;
    // 1 - p is 0 where the answer is certain; its power then is, too, and so is the gradient.
    const Value rest = log(maximum(table(one_.on(output)) - exp(log_p), kTiny));
    const Value loss = exp(rest * gamma_) * log_p * -1;
    return is_class ? loss : of_target(loss, target);
  }

 private:
  double gamma_;
  FixedTable one_{at::ones({1})};
};

VITRINE_REGISTER(Loss, Focal, Options,
                 "negative log likelihood that counts less what is right already")

}  // namespace
}  // namespace vitrine

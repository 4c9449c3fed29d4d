#include "framework/model/loss.h"

#include <limits>

namespace vitrine {

Value of_target(const Value& per_class, const Value& target) {
  if (target.columns() == 1) return pick(per_class, target);
  return mean_over_columns(per_class * target) * static_cast<double>(per_class.columns());
}

Value log_probabilities(const Value& output, const Task& task) {
  constexpr float kTiny = std::numeric_limits<float>::min();  // keeps log(0) finite
  return task.probabilities ? log(maximum(output, kTiny)) : log_softmax(output);
}

}  // namespace vitrine

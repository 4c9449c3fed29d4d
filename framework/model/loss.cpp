#include "framework/model/loss.h"

#include <fmt/format.h>

#include <limits>

namespace vitrine {

Value Loss::operator()(const Value& output, const Value& target, const Task& task) {
  return in("forward", [&] {
    const Value out = forward(output, target, task);
    const bool is_value = out.is_recorded() || (out.tensor().defined() && out.tensor().dim() == 3);
    require(is_value && out.tokens() == 1 && out.columns() == 1, "forward", [&] {
      return is_value ? fmt::format("it made [{}, {}]: of each image it must be one number, [1, 1]",
                                    out.tokens(), out.columns())
                      : "it made no [images, 1, 1]: of each image it must be one number";
    });
    if (out.is_recorded() || output.is_recorded()) return out;
    const Tensor& made = out.tensor();
    require(made.size(0) == output.tensor().size(0), "forward", [&] {
      return fmt::format("of {} images it made {} numbers: it must be one each",
                         output.tensor().size(0), made.size(0));
    });
    require(made.requires_grad() || !output.tensor().requires_grad(), "forward", [&] {
      return std::string("what it made has no gradient, so that nothing would be trained");
    });
    return out;
  });
}

Value of_target(const Value& per_class, const Value& target) {
  if (target.columns() == 1) return pick(per_class, target);
  return mean_over_columns(per_class * target) * static_cast<double>(per_class.columns());
}

Value log_probabilities(const Value& output, const Task& task) {
  constexpr float kTiny = std::numeric_limits<float>::min();  // keeps log(0) finite
  return task.probabilities ? log(maximum(output, kTiny)) : log_softmax(output);
}

}  // namespace vitrine

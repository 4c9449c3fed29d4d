#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "framework/runs/metrics.h"

// What is counted over images, and the values that follow from it. Without torch.
namespace vitrine {

// A value of a run's rows, computed from its sums over images.
struct Measure {
  std::string name;  // "loss"
  std::string task;  // of several, the one that it is of; empty: of all, or the first one
  MetricInfo info;
  std::function<double(const double* sums, double images)> value;  // of all sums
  bool is_loss = false;                                            // must be finite
  bool while_training = true;  // whether training counts it too, or only validation and tests

  bool is_of(const std::string& split) const { return while_training || split != "train"; }

  // "test/loss", "test/loss.above_five"
  std::string in(const std::string& split) const {
    return split + "/" + name + (task.empty() ? "" : "." + task);
  }
};

// The values by their names.
Metrics::Object values_of(const std::vector<Measure>& measures, const std::string& split,
                          const double* sums, int64_t images);

// "loss 2.1162, accuracy 32.93 %" for people: of those that are of no task alone.
std::string values_text(const std::vector<Measure>& measures, const std::string& split,
                        const Metrics::Object& values);

// Whether a value is better than another one; NaN never is, and what is not known is better than
// nothing else.
bool is_better(double value, const std::optional<double>& than, bool larger_is_better);

// The first of them that is not finite, although its measure is a loss; empty where none.
std::string nonfinite_loss(const std::vector<Measure>& measures, const std::string& split,
                           const Metrics::Object& values);

}  // namespace vitrine

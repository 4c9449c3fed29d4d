#pragma once

#include <string>

#include "framework/comparing/comparison.h"

// A comparison in words and numbers as people read them.
namespace vitrine {

// Accuracies in percent, their differences in points: "87.36 %", "87.36 ± 0.52 %", "[86.99, 87.73]"
// and "+1.20 points". What cannot be told is "-".
std::string shown_metric(double value, const MetricInfo& info);
std::string shown_spread(const Spread& spread, const MetricInfo& info);
std::string shown_interval(const ConfidenceInterval& interval, const MetricInfo& info);
std::string shown_difference(double value, const MetricInfo& info, bool with_unit = true);
std::string shown_p(double p);  // "0.0004" or "<0.0001"

// The result in a line or two: of two groups the difference, its interval and the verdict; of more
// how many are worse than the best, or how all stand to the baseline. Of a whole comparison, as
// compare_runs returns it.
// What repeats an experiment: "seed", the last part of another key, or "repeat" of several keys.
std::string replicate_word(const Comparison& comparison);

std::string headline(const Comparison& comparison);

}  // namespace vitrine

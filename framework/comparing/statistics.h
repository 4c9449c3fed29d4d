#pragma once

#include <cstddef>
#include <limits>
#include <vector>

// What repeated runs tell, for values that are finite. NaN stands for what cannot be told from so
// few of them.
namespace vitrine {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

struct ConfidenceInterval {
  double low, high;
};

// Mean of `n` values, their standard deviation (of the sample: over n - 1) and Student's 95 %
// interval of the mean. One value has neither deviation nor interval, none has no mean. Values that
// are all the same have deviation 0, and an interval that is a point.
struct Spread {
  size_t n;
  double mean, deviation;
  ConfidenceInterval interval;
};
Spread spread_of(const std::vector<double>& values);

// How much larger the mean is in `b` than in `a`, its 95 % interval, and the p value of the
// two-sided t test that it is 0. With fewer than two pairs (or values in either sample) there is no
// interval and no p value. Without any spread the interval is a point, and p is 1 where the
// difference is 0, else 0.
struct Difference {
  double mean;
  ConfidenceInterval interval;
  double p;
};
Difference paired_difference(const std::vector<double>& a, const std::vector<double>& b);
// Samples that have nothing to do with each other, whose spreads may differ (Welch 1947).
Difference welch_difference(const std::vector<double>& a, const std::vector<double>& b);

// The p values of several tests, corrected so that the chance of even one false find stays that of
// one test (Holm 1979). NaN stays NaN and counts as no test. Where the tests are those of several
// groups against one, `all_pairs` corrects as if each had been tested against each: what is due
// where that one was chosen by the values.
std::vector<double> holm(const std::vector<double>& p, bool all_pairs = false);

}  // namespace vitrine

#include "framework/comparing/statistics.h"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>

namespace vitrine {

namespace {

constexpr double kTail = 0.025;  // on each side of a 95 % interval

double square(double value) { return value * value; }

ConfidenceInterval around(double mean, double error, double degrees) {
  const boost::math::students_t distribution(degrees);
  const double half = error * boost::math::quantile(complement(distribution, kTail));
  return {mean - half, mean + half};
}

Difference tested(double mean, double error, double degrees) {
  if (error == 0) return {mean, {mean, mean}, mean == 0 ? 1.0 : 0.0};
  const boost::math::students_t distribution(degrees);
  const double p = 2 * boost::math::cdf(complement(distribution, std::abs(mean / error)));
  return {mean, around(mean, error, degrees), p};
}

}  // namespace

Spread spread_of(const std::vector<double>& values) {
  const size_t n = values.size();
  if (n == 0) return {0, kNan, kNan, {kNan, kNan}};
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  // The mean of equal values must not be off by a rounding, which would give them a spread.
  const double mean =
      *low == *high ? *low
                    : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(n);
  if (n == 1) return {1, mean, kNan, {kNan, kNan}};
  double squares = 0;
  for (const double value : values) squares += square(value - mean);
  const auto degrees = static_cast<double>(n - 1);
  const double deviation = std::sqrt(squares / degrees);
  return {n, mean, deviation, around(mean, deviation / std::sqrt(static_cast<double>(n)), degrees)};
}

Difference paired_difference(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> differences;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) differences.push_back(b[i] - a[i]);
  const Spread spread = spread_of(differences);
  if (spread.n < 2) return {spread.mean, {kNan, kNan}, kNan};
  const auto n = static_cast<double>(spread.n);
  return tested(spread.mean, spread.deviation / std::sqrt(n), n - 1);
}

Difference welch_difference(const std::vector<double>& a, const std::vector<double>& b) {
  const Spread from = spread_of(a), to = spread_of(b);
  const double mean = to.mean - from.mean;
  if (from.n < 2 || to.n < 2) return {mean, {kNan, kNan}, kNan};
  const auto n = static_cast<double>(from.n), m = static_cast<double>(to.n);
  const double u = square(from.deviation) / n, v = square(to.deviation) / m;
  // Shares, because squares of variances underflow.
  const double share = u / (u + v);
  const double degrees = 1 / (square(share) / (n - 1) + square(1 - share) / (m - 1));
  return tested(mean, std::sqrt(u + v), degrees);
}

std::vector<double> holm(const std::vector<double>& p, bool all_pairs) {
  std::vector<size_t> order;
  for (size_t i = 0; i < p.size(); ++i) {
    if (!std::isnan(p[i])) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](size_t i, size_t j) { return p[i] < p[j]; });
  std::vector<double> out = p;
  const size_t n = order.size(), tests = all_pairs ? n * (n + 1) / 2 : n;
  double largest = 0;
  for (size_t rank = 0; rank < n; ++rank) {
    const auto factor = static_cast<double>(tests - rank);
    largest = std::max(largest, std::min(1.0, factor * p[order[rank]]));
    out[order[rank]] = largest;
  }
  return out;
}

}  // namespace vitrine

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "framework/draws.h"
#include "framework/registry/register.h"
#include "framework/sweeps/searcher.h"

// The multivariate tree-structured Parzen estimator. Bergstra et al., "Algorithms for
// Hyper-Parameter Optimization", 2011; one density over all dimensions: Falkner et al., "BOHB",
// 2018; weights and widths: Watanabe, "Tree-Structured Parzen Estimator: Understanding Its
// Algorithm Components and Their Roles for Better Empirical Performance", 2023.
namespace vitrine {
namespace {

using Dimensions = std::vector<Dimension>;
using Points = std::vector<const SearchPoint*>;

// The normal distribution's weight between two numbers, one tail of which may be far out.
double normal_between(double low, double high) {
  const double side = low > 0 ? 1 : -1;  // differences of small numbers are exact
  const double a = std::erfc(side * low / std::numbers::sqrt2);
  const double b = std::erfc(side * high / std::numbers::sqrt2);
  return std::abs(a - b) / 2;
}

double log_normal(double x) { return -x * x / 2 - std::log(2 * std::numbers::pi) / 2; }

// A density over the space: a mixture of one product of kernels for each point, and a flat one,
// the prior, which alone says something of dimensions that a point does not have.
class Density {
 public:
  Density(const Dimensions& dimensions, Points points)
      : dimensions_(dimensions), points_(std::move(points)) {
    points_.push_back(nullptr);  // the prior
    widths_.assign(points_.size(), std::vector<double>(dimensions.size(), 1));
    for (size_t i = 0; i < dimensions.size(); ++i) {
      if (!dimensions[i].is_choice) set_widths(i);
    }
    set_weights();
  }

  double log(const SearchPoint& point) const {
    std::vector<double> logs;
    for (size_t k = 0; k < points_.size(); ++k) logs.push_back(log_kernel(k, point));
    const double most = *std::max_element(logs.begin(), logs.end());
    double sum = 0;
    for (const double log : logs) sum += std::exp(log - most);
    return most + std::log(sum);
  }

  SearchPoint sample(Draws& draws) const {
    double rest = draws.uniform();
    size_t kernel = 0;
    while (kernel + 1 < points_.size() && rest >= weights_[kernel]) rest -= weights_[kernel++];
    SearchPoint out(dimensions_.size());
    for (size_t i = 0; i < dimensions_.size(); ++i) {
      if (!is_there(dimensions_, i, out)) continue;
      const Dimension& dimension = dimensions_[i];
      double share =
          dimension.is_choice ? draw_choice(kernel, i, draws) : draw_number(kernel, i, draws);
      if (dimension.values > 0) {
        const auto [low, high] = dimension.shares(dimension.index(share));
        share = (low + high) / 2;
      }
      out[i] = share;
    }
    return out;
  }

 private:
  // A kernel reaches as far as the farther of its neighbours, at the ends as the only one; no less
  // than a share that falls as there are more.
  void set_widths(size_t i) {
    std::vector<std::pair<double, size_t>> order;
    for (size_t k = 0; k + 1 < points_.size(); ++k) {
      if (const auto own = centre(k, i)) order.emplace_back(*own, k);
    }
    std::stable_sort(order.begin(), order.end());
    const double least = 1 / std::min(100.0, static_cast<double>(points_.size()) + 1);
    for (size_t n = 0; n < order.size(); ++n) {
      const double own = order[n].first;
      const bool is_alone = order.size() == 1, is_first = n == 0, is_last = n + 1 == order.size();
      const double below = !is_first ? own - order[n - 1].first : is_alone ? own : 0;
      const double above = !is_last ? order[n + 1].first - own : is_alone ? 1 - own : 0;
      widths_[order[n].second][i] = std::clamp(std::max(below, above), least, 1.0);
    }
  }

  // The newest count fully, the oldest the less the more there are.
  void set_weights() {
    constexpr size_t kFull = 25;
    const size_t count = points_.size() - 1;
    weights_.assign(points_.size(), 1);
    for (size_t i = 0; i + kFull < count; ++i) {
      const double first = 1 / static_cast<double>(count), old = static_cast<double>(count - kFull);
      weights_[i] = first + (1 - first) * static_cast<double>(i) / std::max(old - 1, 1.0);
    }
    const double sum = std::accumulate(weights_.begin(), weights_.end(), 0.0);
    for (double& weight : weights_) weight /= sum;
  }

  std::optional<double> centre(size_t kernel, size_t i) const {
    return points_[kernel] ? (*points_[kernel])[i] : std::nullopt;
  }

  double log_kernel(size_t kernel, const SearchPoint& point) const {
    double out = std::log(weights_[kernel]);
    for (size_t i = 0; i < dimensions_.size(); ++i) {
      if (point[i])
        out += dimensions_[i].is_choice ? log_choice(kernel, i, *point[i])
                                        : log_number(kernel, i, *point[i]);
    }
    return out;
  }

  // Every value gets its part of one, the kernel's own one more.
  double log_choice(size_t kernel, size_t i, double share) const {
    const Dimension& dimension = dimensions_[i];
    const auto values = static_cast<double>(dimension.values);
    const auto own = centre(kernel, i);
    if (!own) return -std::log(values);
    const double part = 1 / static_cast<double>(points_.size());
    const bool is_own = dimension.index(*own) == dimension.index(share);
    return std::log((part + (is_own ? 1 : 0)) / (1 + values * part));
  }

  double draw_choice(size_t kernel, size_t i, Draws& draws) const {
    const Dimension& dimension = dimensions_[i];
    const auto own = centre(kernel, i);
    const double part = static_cast<double>(dimension.values) / static_cast<double>(points_.size());
    const bool is_own = own && draws.uniform() * (1 + part) < 1;
    return is_own ? *own : draws.uniform();
  }

  // Normal, cut to [0, 1). That of the prior is as wide as the range.
  double log_number(size_t kernel, size_t i, double share) const {
    const auto own = centre(kernel, i);
    const double mean = own.value_or(0.5), width = widths_[kernel][i];
    const double whole = normal_between((0 - mean) / width, (1 - mean) / width);
    const Dimension& dimension = dimensions_[i];
    if (dimension.values == 0) return log_normal((share - mean) / width) - std::log(width * whole);
    const auto [low, high] = dimension.shares(dimension.index(share));
    return std::log(normal_between((low - mean) / width, (high - mean) / width) / whole);
  }

  double draw_number(size_t kernel, size_t i, Draws& draws) const {
    const auto own = centre(kernel, i);
    const double mean = own.value_or(0.5), width = widths_[kernel][i];
    for (;;) {  // about half of them are within
      const double radius = std::sqrt(-2 * std::log(1 - draws.uniform()));
      const double normal = radius * std::cos(2 * std::numbers::pi * draws.uniform());
      const double share = mean + width * normal;
      if (share >= 0 && share < 1) return share;
    }
  }

  const Dimensions& dimensions_;
  Points points_;
  std::vector<double> weights_;
  std::vector<std::vector<double>> widths_;  // of numbers' kernels; that of the prior is 1
};

struct TpeOptions {
  int64_t startup = 10, candidates = 24;

  void visit(Fields& field) {
    field("startup", startup, "cells that are drawn by chance before any is proposed", at_least(1))
        .words({"n_startup_trials", "n_initial_points", "warmup"});
    field("candidates", candidates, "points of which the best is proposed", at_least(1))
        .words({"n_ei_candidates", "n_candidates"});
  }
};

class Tpe : public Searcher {
 public:
  Tpe(const TpeOptions& options, const Context&) : options_(options) {}

  std::optional<int64_t> startup() const override { return options_.startup; }

  // Those that the good points make likelier than the others, the likeliest first. One that is
  // running counts as bad, so that those that are proposed meanwhile lie elsewhere.
  std::vector<SearchPoint> propose(const Dimensions& dimensions,
                                   const std::vector<Observation>& known,
                                   uint64_t seed) const override {
    const auto [good, bad] = split(known);
    const Density likes(dimensions, good), dislikes(dimensions, bad);
    Draws draws(seed, 0, 0, kSalt);
    std::vector<std::pair<double, SearchPoint>> order;
    for (int64_t i = 0; i < options_.candidates; ++i) {
      SearchPoint point = likes.sample(draws);
      const double gain = likes.log(point) - dislikes.log(point);
      order.emplace_back(-gain, std::move(point));
    }
    std::stable_sort(order.begin(), order.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<SearchPoint> out;
    for (auto& [gain, point] : order) out.push_back(std::move(point));
    return out;
  }

 private:
  static constexpr uint64_t kSalt = 0x747065;

  // The best tenth of those that have ended, 25 at most; and the others. Both in their order.
  static std::pair<Points, Points> split(const std::vector<Observation>& known) {
    using State = Observation::State;
    constexpr size_t kMostGood = 25;
    std::vector<const Observation*> order;
    size_t ended = 0;
    for (const Observation& one : known) {
      ended += one.state != State::kRunning;
      if (one.state == State::kKnown) order.push_back(&one);
    }
    std::stable_sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
      return a->epochs != b->epochs ? a->epochs > b->epochs : a->loss < b->loss;
    });
    order.resize(std::min({order.size(), (ended + 9) / 10, kMostGood}));
    std::pair<Points, Points> out;
    for (const Observation& one : known) {
      const bool is_good = std::find(order.begin(), order.end(), &one) != order.end();
      (is_good ? out.first : out.second).push_back(&one.point);
    }
    return out;
  }

  TpeOptions options_;
};

}  // namespace

VITRINE_REGISTER(Searcher, Tpe, TpeOptions,
                 "each cell where earlier ones were good (tree-structured Parzen estimator)")

}  // namespace vitrine

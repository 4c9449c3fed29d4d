#include "framework/comparing/comparison_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "framework/comparing/failures.h"
#include "framework/config/scalar.h"

namespace vitrine {

namespace {

constexpr size_t kMostMarked = 10;

struct Notation {
  double factor;
  int decimals;                       // below 0: as many as it takes
  std::string unit, difference_unit;  // with the space before them
};

Notation notation_of(const MetricInfo& info) {
  if (info.unit == "fraction") return {100, 2, " %", " points"};
  if (info.unit == "seconds") return {1, 2, " s", " s"};
  if (info.unit == "bytes") return {1e-6, 1, " MB", " MB"};
  if (info.unit == "images/s") return {1, 0, "", " images/s"};
  if (info.goal == "none") return {1, -1, "", ""};
  return {1, 4, "", info.unit.empty() ? "" : " " + info.unit};
}

std::string scaled(double value, const Notation& notation) {
  if (notation.decimals < 0) {
    return std::abs(value) < 1000 ? fmt::format("{:.4g}", value == 0 ? 0 : value)
                                  : fmt::format("{:.0f}", value);
  }
  return fixed_text(value * notation.factor, notation.decimals);
}

std::string counted(size_t n, const Comparison& comparison) {
  return fmt::format("{} {}{}", n, replicate_word(comparison), n == 1 ? "" : "s");
}

std::string seeds_of(const Contrast& contrast, const Comparison& comparison) {
  if (contrast.paired)
    return fmt::format("{} paired {}{}", contrast.n, replicate_word(comparison),
                       contrast.n == 1 ? "" : "s");
  return fmt::format("{} and {}", contrast.n, counted(contrast.reference_n, comparison));
}

// A line for groups that must not be compared silently. Of many it names only those of other data
// or code and those with failures; the table marks the rest.
std::string shown_marks(const Comparison& comparison) {
  const bool many = comparison.groups.size() > 2;
  std::vector<std::string> marked;
  size_t more = 0;
  for (const Group& group : comparison.groups) {
    if (many ? !group.is_other && failures_of(group) == 0 : group.marks.empty()) continue;
    if (marked.size() == kMostMarked) {
      ++more;
      continue;
    }
    marked.push_back(fmt::format("{} ({})", group.label, fmt::join(group.marks, ", ")));
  }
  if (more > 0) marked.push_back(fmt::format("{} more", more));
  return marked.empty() ? "" : fmt::format("\nwith care: {}", fmt::join(marked, ", "));
}

std::string shown_test(const Contrast& contrast) {
  const std::string p = shown_p(contrast.p);
  return fmt::format("{} t test, p {}", contrast.paired ? "paired" : "Welch's",
                     p[0] == '<' ? "< " + p.substr(1) : "= " + p);
}

std::string too_few(const std::string& metric) {
  return fmt::format(
      "{}: too few seeds for a verdict, which takes {} of each; \"runner sweep "
      "CONFIG... seed=0..9\" runs more",
      metric, kFewestSeeds);
}

// A test over the survivors is one of them alone.
const char* scope_of(const Comparison& comparison) {
  const auto& groups = comparison.groups;
  const bool any = std::any_of(groups.begin(), groups.end(),
                               [](const Group& group) { return failures_of(group) > 0; });
  return any ? ", of the runs that finished" : "";
}

std::string verdict_of_two(const std::string& metric, const std::string& label,
                           const std::string& reference, const Contrast& contrast,
                           const char* scope) {
  if (contrast.verdict == Verdict::kTooFewSeeds) return too_few(metric);
  const std::string test = shown_test(contrast);
  if (contrast.verdict == Verdict::kUndecided) {
    return fmt::format("{}: undecided whether {} or {} is better{} ({})", metric, reference, label,
                       scope, test);
  }
  const char* verdict = contrast.verdict == Verdict::kBetter  ? "better than"
                        : contrast.verdict == Verdict::kWorse ? "worse than"
                                                              : "different from";
  return fmt::format("{}: {} is {} {}{} ({})", metric, label, verdict, reference, scope, test);
}

std::string headline_of_two(const Comparison& comparison) {
  const bool second = comparison.groups[1].contrast.has_value();
  const Group& group = comparison.groups[second ? 1 : 0];
  const Group& reference = comparison.groups[second ? 0 : 1];
  const MetricInfo& info = comparison.info(comparison.metric);
  const Contrast& contrast = *group.contrast;
  for (const Group* one : {&reference, &group}) {
    if (one->counted.empty()) {
      return fmt::format("{} has no finished run with {}{}", one->label, comparison.metric,
                         shown_marks(comparison));
    }
  }
  std::string first =
      fmt::format("{} {}", group.label, shown_difference(contrast.difference.mean, info));
  if (!std::isnan(contrast.difference.interval.low)) {
    first += fmt::format(", 95 % {}", shown_interval(contrast.difference.interval, info));
  }
  return fmt::format("{}, {}\n{}{}", first, seeds_of(contrast, comparison),
                     verdict_of_two(comparison.metric, group.label, reference.label, contrast,
                                    scope_of(comparison)),
                     shown_marks(comparison));
}

std::string shown_group(const Group& group, const Comparison& comparison) {
  const MetricInfo& info = comparison.info(comparison.metric);
  if (group.counted.empty()) {
    return fmt::format("{} has no finished run with {}", group.label, comparison.metric);
  }
  const Spread spread = group.spread(comparison.metric);
  std::string out =
      fmt::format("{}: {} {}", group.label, comparison.metric, shown_metric(spread.mean, info));
  if (spread.n > 1) {
    out += fmt::format(", 95 % {}, standard deviation {}", shown_interval(spread.interval, info),
                       scaled(spread.deviation, notation_of(info)));
  }
  out += ", " + counted(spread.n, comparison);
  const std::string failures = shown_failures(group);
  return out + (failures.empty() ? "" : "; " + failures);
}

std::string headline_of_many(const Comparison& comparison, const Group& reference) {
  std::map<Verdict, size_t> counts;
  for (const Group& group : comparison.groups) {
    if (group.contrast) ++counts[group.contrast->verdict];
  }
  const std::string first = shown_group(reference, comparison);
  const size_t others = comparison.groups.size() - 1;
  if (counts[Verdict::kTooFewSeeds] == others) {
    return first + "\n" + too_few(comparison.metric) + shown_marks(comparison);
  }
  std::vector<std::string> parts;
  for (const auto& [verdict, count] : counts) {
    if (count > 0) parts.push_back(fmt::format("{} {}", count, to_string(verdict)));
  }
  return fmt::format("{}\nthe {} others against it: {}{} (t tests at 5 %, Holm-corrected{}){}",
                     first, others, fmt::join(parts, ", "), scope_of(comparison),
                     comparison.reference_is_best ? " for all pairs" : "", shown_marks(comparison));
}

}  // namespace

std::string replicate_word(const Comparison& comparison) {
  if (comparison.replicate.size() != 1) return "repeat";
  const std::string& key = comparison.replicate[0];
  return key.substr(key.rfind('.') + 1);
}

std::string shown_metric(double value, const MetricInfo& info) {
  const Notation notation = notation_of(info);
  return std::isnan(value) ? "-" : scaled(value, notation) + notation.unit;
}

std::string shown_spread(const Spread& spread, const MetricInfo& info) {
  if (spread.n < 2) return shown_metric(spread.mean, info);
  const Notation notation = notation_of(info);
  return fmt::format("{} ± {}{}", scaled(spread.mean, notation), scaled(spread.deviation, notation),
                     notation.unit);
}

std::string shown_interval(const ConfidenceInterval& interval, const MetricInfo& info) {
  if (std::isnan(interval.low)) return "-";
  const Notation notation = notation_of(info);
  return fmt::format("[{}, {}]", scaled(interval.low, notation), scaled(interval.high, notation));
}

std::string shown_difference(double value, const MetricInfo& info, bool with_unit) {
  if (std::isnan(value)) return "-";
  const Notation notation = notation_of(info);
  const std::string text = scaled(value, notation);
  return (text[0] == '-' ? "" : "+") + text + (with_unit ? notation.difference_unit : "");
}

std::string shown_p(double p) {
  if (std::isnan(p)) return "-";
  return p < 0.0001 ? "<0.0001" : fmt::format("{:.4f}", p);
}

std::string headline(const Comparison& comparison) {
  const auto& groups = comparison.groups;
  if (groups.size() == 1) return shown_group(groups[0], comparison);
  if (groups.size() == 2) return headline_of_two(comparison);
  return headline_of_many(comparison,
                          *std::find_if(groups.begin(), groups.end(), [&](const Group& group) {
                            return group.label == comparison.reference;
                          }));
}

}  // namespace vitrine

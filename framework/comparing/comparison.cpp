#include "framework/comparing/comparison.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "framework/comparing/failures.h"
#include "framework/comparing/groups.h"
#include "framework/error.h"

namespace vitrine {

namespace {

using Json = nlohmann::ordered_json;
using Runs = std::vector<const RunRecord*>;

double number_of(const RunRecord& run, const std::string& name) {
  const auto value = run.value(name);
  return value && value->is_number() ? value->get<double>() : kNan;
}

// Whether that many of the runs have the value; NaN is one, which a diverged run has.
bool have(const Runs& runs, const std::string& name, size_t count) {
  for (const RunRecord* run : runs) {
    if (count == 0) break;
    if (run->value(name)) --count;
  }
  return count == 0;
}

// Which repetition of its experiment a run is; equal for runs of equal values of these keys.
Json replicate_of(const RunRecord& run, const std::vector<std::string>& keys) {
  Json out = Json::array();
  for (const std::string& key : keys)
    out.push_back(key == "seed" ? Json(run.metrics.seed)
                                : telling_value(run, key).value_or(nullptr));
  return out;
}

// Sets `counted` and, for what is not or is with care, `remarks`.
void count_runs(Group& group, const Comparison& comparison) {
  const std::string& metric = comparison.metric;
  std::map<Json, const RunRecord*> seeds;
  std::stable_sort(group.runs.begin(), group.runs.end(), [&](const auto* a, const auto* b) {
    return replicate_of(*a, comparison.replicate) < replicate_of(*b, comparison.replicate);
  });
  for (const RunRecord* run : group.runs) {
    const auto remark = [&](const std::string& text) { group.remarks.emplace_back(run, text); };
    if (!run->is_finished()) {
      remark(run->status);
    } else if (!std::isfinite(number_of(*run, metric))) {
      remark("without " + metric);
    } else if (!seeds.emplace(replicate_of(*run, comparison.replicate), run).second) {
      remark("repeated");
    } else {
      group.counted.push_back(run);
      if (!run->metrics.exact) remark("inexact");
    }
  }
}

// What the counted runs were computed with where it is not one: "threads 1 and 2".
void mark_execution(Group& group) {
  std::map<std::string, std::set<std::string>> values;
  for (const RunRecord* run : group.counted) {
    for (const auto& [key, taken] : run->metrics.execution.items())
      values[key].insert(shown_value(taken.at("value")));
    values["ranks"].insert(shown_value(run->metrics.environment.value("ranks", Json(1))));
  }
  for (const auto& [key, taken] : values) {
    if (taken.size() < 2) continue;
    const std::string name = key.substr(key.rfind('.') + 1);
    group.marks.push_back(fmt::format("{} {}", name, fmt::join(taken, " and ")));
  }
}

// "2 diverged", or for a group of one run "diverged".
void mark_runs(Group& group) {
  std::vector<std::pair<std::string, size_t>> counts;
  for (const auto& [run, reason] : group.remarks) {
    const auto same = [&, &text = reason](const auto& count) { return count.first == text; };
    const auto found = std::find_if(counts.begin(), counts.end(), same);
    if (found == counts.end()) {
      counts.emplace_back(reason, 1);
    } else {
      ++found->second;
    }
  }
  for (const auto& [reason, count] : counts) {
    group.marks.push_back(group.runs.size() == 1 ? reason : fmt::format("{} {}", count, reason));
  }
}

size_t index_of_baseline(const Comparison& comparison, const std::vector<Condition>& baseline) {
  std::vector<size_t> found;
  for (size_t i = 0; i < comparison.groups.size(); ++i) {
    const auto fits = [&](const RunRecord* run) {
      return std::all_of(baseline.begin(), baseline.end(),
                         [&](const Condition& condition) { return condition.holds(*run); });
    };
    const Runs& runs = comparison.groups[i].runs;
    if (std::any_of(runs.begin(), runs.end(), fits)) found.push_back(i);
  }
  if (found.size() == 1) return found[0];
  std::vector<std::string> labels;
  for (const Group& group : comparison.groups) labels.push_back(group.label);
  throw Error(ExitCode::kUsage,
              escape(fmt::format("--baseline selects {} of the {} groups, it must be one; they "
                                 "are: {}",
                                 found.empty() ? "none" : std::to_string(found.size()),
                                 labels.size(), fmt::join(labels, "; "))));
}

// Whether `a` is better than `b`; NaN is worse than all. Larger is better only where that is the
// goal.
bool is_better(double a, double b, const MetricInfo& info) {
  if (std::isnan(a) || std::isnan(b)) return !std::isnan(a);
  return info.goal == "max" ? a > b : a < b;
}

// What is of other data or code, or has runs that failed, must not become the measure of all in
// silence.
size_t index_of_best(const Comparison& comparison) {
  const Group* best = best_group(comparison, comparison.metric);
  return best == nullptr ? 0 : static_cast<size_t>(best - comparison.groups.data());
}

// Paired over the seeds that both have, where these are not too few and at least half of the
// smaller group.
Contrast contrast_of(const Group& reference, const Group& group, const Comparison& comparison) {
  const std::string& metric = comparison.metric;
  std::map<Json, double> known;
  std::vector<double> from, to, shared_from, shared_to;
  for (const RunRecord* run : reference.counted) {
    from.push_back(known[replicate_of(*run, comparison.replicate)] = number_of(*run, metric));
  }
  for (const RunRecord* run : group.counted) {
    to.push_back(number_of(*run, metric));
    const auto found = known.find(replicate_of(*run, comparison.replicate));
    if (found != known.end()) {
      shared_from.push_back(found->second);
      shared_to.push_back(to.back());
    }
  }
  const size_t shared = shared_to.size(), smaller = std::min(from.size(), to.size());
  const bool paired =
      shared > 0 && 2 * shared >= smaller && (shared >= kFewestSeeds || smaller < kFewestSeeds);
  Contrast out{paired ? paired_difference(shared_from, shared_to) : welch_difference(from, to),
               paired ? shared : to.size(),
               paired ? shared : from.size(),
               paired,
               kNan,
               Verdict::kTooFewSeeds};
  if (std::min(out.n, out.reference_n) < kFewestSeeds) out.difference.p = kNan;
  return out;
}

Verdict verdict_of(const Contrast& contrast, const MetricInfo& info) {
  if (std::isnan(contrast.p)) return Verdict::kTooFewSeeds;
  if (contrast.p >= kSignificance) return Verdict::kUndecided;
  if (info.goal != "max" && info.goal != "min") return Verdict::kDifferent;
  return is_better(contrast.difference.mean, 0, info) ? Verdict::kBetter : Verdict::kWorse;
}

void add_contrasts(Comparison& comparison, size_t reference) {
  comparison.reference = comparison.groups[reference].label;
  std::vector<double> p;
  for (size_t i = 0; i < comparison.groups.size(); ++i) {
    Group& group = comparison.groups[i];
    if (i != reference) {
      group.contrast = contrast_of(comparison.groups[reference], group, comparison);
    }
    p.push_back(group.contrast ? group.contrast->difference.p : kNan);
  }
  p = holm(p, comparison.reference_is_best);
  for (size_t i = 0; i < p.size(); ++i) {
    auto& contrast = comparison.groups[i].contrast;
    if (!contrast) continue;
    contrast->p = p[i];
    contrast->verdict = verdict_of(*contrast, comparison.info(comparison.metric));
  }
}

// Whether `a` is at least as good in all values and better in one; smaller is better.
bool dominates(const std::vector<double>& a, const std::vector<double>& b) {
  bool better = false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] > b[i]) return false;
    better |= a[i] < b[i];
  }
  return better;
}

// How many failures put a group behind others where groups are sorted best first: by something that
// runs were measured by.
size_t failures_before(const Group& group, const std::string& name, const MetricInfo& info) {
  const bool has_best = info.goal == "max" || info.goal == "min";
  return has_best && name.find('/') != name.npos ? failures_of(group) : 0;
}

// Of a group by any name: the mean of numbers, else what the first run has.
nlohmann::ordered_json sort_value(const Group& group, const std::string& name) {
  const double mean = group.spread(name).mean;
  if (!std::isnan(mean)) return mean;
  return group.runs[0]->value(name).value_or(nullptr);
}

}  // namespace

std::string to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::kBetter:
      return "better";
    case Verdict::kWorse:
      return "worse";
    case Verdict::kDifferent:
      return "different";
    case Verdict::kUndecided:
      return "undecided";
    case Verdict::kTooFewSeeds:
      return "too few seeds";
  }
  throw Error(ExitCode::kInternal, "a verdict without a name");
}

Spread Group::spread(const std::string& metric) const {
  std::vector<double> values;
  for (const RunRecord* run : counted.empty() ? runs : counted) {
    const double value = number_of(*run, metric);
    if (std::isfinite(value)) values.push_back(value);
  }
  return spread_of(values);
}

const MetricInfo& Comparison::info(const std::string& name) const {
  static const MetricInfo none{"none", ""};
  const auto found = infos.find(name);
  return found == infos.end() ? none : found->second;
}

namespace {

// Without the split; the loss comes last.
std::vector<std::string> judged_by(const Runs& runs) {
  std::vector<std::string> out;
  for (const RunRecord* run : runs) {
    const std::string name = run->metrics.judged_by();
    if (name != "loss" && std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
  }
  out.emplace_back("loss");
  return out;
}

}  // namespace

std::vector<std::string> main_metrics(const Runs& runs) {
  const std::vector<std::string> names = judged_by(runs);
  std::vector<std::string> out;
  for (const char* split : {"test/", "validation/", "train/"}) {
    for (const std::string& name : names) out.push_back(split + name);
  }
  return out;
}

std::vector<std::string> report_metrics(const Runs& runs) {
  const std::vector<std::string> names = judged_by(runs);
  std::vector<std::string> out;
  for (const std::string& name : names) {
    out.push_back("validation/" + name);
    out.push_back("test/" + name);
  }
  for (const std::string& name : names) out.push_back("train/" + name);
  return out;
}

std::string common_metric(const Runs& runs, const std::vector<std::string>& names) {
  Runs finished;
  for (const RunRecord* run : runs) {
    if (run->is_finished()) finished.push_back(run);
  }
  const Runs& asked = finished.empty() ? runs : finished;
  for (const std::string& name : names) {
    if (!asked.empty() && have(asked, name, (asked.size() + 1) / 2)) return name;
  }
  for (const std::string& name : names) {
    if (have(runs, name, 1)) return name;
  }
  return "";
}

void require_names(const Runs& runs, const ComparisonOptions& options) {
  for (const auto& [names, option] :
       {std::pair(&options.keys.over, "--over"), std::pair(&options.keys.ignore, "--ignore"),
        std::pair(&options.keys.by, "--by")}) {
    for (const std::string& name : *names) {
      if (name != kChangesKey) require_name(runs, name, option);
    }
  }
  if (!options.metric.empty()) require_name(runs, options.metric, "--metric");
  for (const Condition& condition : options.baseline) {
    require_name(runs, condition.name(), "--baseline");
  }
}

Comparison compare_runs(const Runs& runs, const ComparisonOptions& options) {
  require_names(runs, options);
  return compare_named(runs, options);
}

Comparison compare_named(const Runs& runs, const ComparisonOptions& options) {
  Comparison out = group_runs(runs, options.keys);
  for (const RunRecord* run : runs) {
    for (const auto& [name, info] : run->metrics.metrics) out.infos.emplace(name, info);
  }
  out.metric = options.metric.empty() ? common_metric(runs, main_metrics(runs)) : options.metric;
  if (out.metric.empty()) out.metric = main_metrics(runs)[0];
  for (Group& group : out.groups) {
    count_runs(group, out);
    mark_execution(group);
    mark_runs(group);
  }
  out.reference_is_best = options.baseline.empty() && out.groups.size() > 2;
  add_contrasts(out, !options.baseline.empty() ? index_of_baseline(out, options.baseline)
                     : out.reference_is_best   ? index_of_best(out)
                                               : 0);
  return out;
}

void sort_groups(Comparison& comparison, const std::string& name, bool reversed) {
  const MetricInfo& info = comparison.info(name);
  struct Place {
    nlohmann::ordered_json value;
    size_t failures, i;
  };
  std::vector<Place> order;
  for (size_t i = 0; i < comparison.groups.size(); ++i) {
    const Group& group = comparison.groups[i];
    order.push_back({sort_value(group, name), failures_before(group, name, info), i});
  }
  std::stable_sort(order.begin(), order.end(), [&](const Place& a, const Place& b) {
    if (a.value.is_null() || b.value.is_null()) return !a.value.is_null() && b.value.is_null();
    const Place &one = reversed ? b : a, &other = reversed ? a : b;
    if (one.failures != other.failures) return one.failures < other.failures;
    if (!one.value.is_number() || !other.value.is_number()) return one.value < other.value;
    return is_better(one.value.get<double>(), other.value.get<double>(), info);
  });
  std::vector<Group> groups;
  for (const Place& place : order) groups.push_back(std::move(comparison.groups[place.i]));
  comparison.groups = std::move(groups);
}

size_t keep_pareto_front(Comparison& comparison, const std::vector<std::string>& names) {
  std::vector<std::vector<double>> points;
  std::vector<Group*> whole;
  for (Group& group : comparison.groups) {
    // One with failures beats none with fewer.
    std::vector<double> point = {static_cast<double>(failures_of(group))};
    for (const std::string& name : names) {
      const double sign = comparison.info(name).goal == "max" ? -1 : 1;
      point.push_back(sign * group.spread(name).mean);
    }
    if (std::any_of(point.begin(), point.end(), [](double value) { return std::isnan(value); })) {
      continue;
    }
    points.push_back(std::move(point));
    whole.push_back(&group);
  }
  std::vector<Group> front;
  for (size_t i = 0; i < points.size(); ++i) {
    const auto beats = [&](const auto& other) { return dominates(other, points[i]); };
    if (std::none_of(points.begin(), points.end(), beats)) front.push_back(std::move(*whole[i]));
  }
  const size_t gone = comparison.groups.size() - front.size();
  comparison.groups = std::move(front);
  return gone;
}

}  // namespace vitrine

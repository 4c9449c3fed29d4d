#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "framework/comparing/condition.h"
#include "framework/comparing/differences.h"
#include "framework/comparing/runs.h"
#include "framework/comparing/statistics.h"

namespace vitrine {

// Fewer seeds than this give no verdict.
constexpr size_t kFewestSeeds = 3;
// A difference with a smaller p value (corrected where there are several) is one.
constexpr double kSignificance = 0.05;

enum class Verdict { kBetter, kWorse, kDifferent, kUndecided, kTooFewSeeds };
std::string to_string(Verdict verdict);  // "better", "worse", "different", "undecided", ...

// How a group stands to the reference.
struct Contrast {
  Difference difference;  // the group's mean less the reference's; `p` is not corrected
  size_t n, reference_n;  // seeds that it comes from
  bool paired;            // over the seeds that both have
  double p;               // corrected after Holm
  Verdict verdict;
};

// Runs of one experiment, which repeat it with other values of the replicate's keys (the seed): the
// same results' keys, data and code. What is a label or changes no result does not count.
struct Group {
  std::string label;
  nlohmann::ordered_json values;  // of Comparison::keys; those that its config has
  std::vector<const RunRecord*> runs;
  std::vector<const RunRecord*> counted;  // finished, with the metric, one of each seed; in order
  // Why a single run is not counted, or is with care.
  std::vector<std::pair<const RunRecord*, std::string>> remarks;
  std::vector<std::string> marks;    // of all of it: "other data", "2 diverged"
  bool is_other = false;             // in data or code, which a mark tells
  std::optional<Contrast> contrast;  // none for the reference itself

  // The spread over the counted runs, or where there are none over all; values that are not finite
  // are left out.
  Spread spread(const std::string& metric) const;
};

struct Comparison {
  std::string metric;                  // that decides
  std::vector<std::string> keys;       // that differ: of the config, and of data and code
  std::vector<std::string> main_keys;  // the few of them that part the groups most, these first
  std::vector<std::string> replicate;  // whose values repeat an experiment, such as "seed"
  std::vector<Group> groups;
  // Where the groups' labels are nothing but these keys with their values: those keys.
  std::vector<std::string> label_keys;
  std::string reference;           // label of the group that contrasts are against
  bool reference_is_best = false;  // it was chosen by the metric, which the correction heeds
  std::vector<std::pair<const RunRecord*, std::string>> left_out;  // of all groups, and why
  std::map<std::string, MetricInfo> infos;                         // of all runs

  const MetricInfo& info(const std::string& name) const;  // goal "none" where it is not known
};

struct ComparisonOptions {
  std::string metric;               // empty: the common_metric of test, validation and training
  std::vector<Condition> baseline;  // which group is the reference; empty: see compare_runs
  KeyOptions keys = {};
};

// The first of `names` that at least half of the finished runs have (of all runs, where none has
// finished), else the first that any run has; empty where there is none.
std::string common_metric(const std::vector<const RunRecord*>& runs,
                          const std::vector<std::string>& names);

// What these runs are judged by and their loss, of the test, of validation, of training: what
// decides unless told otherwise.
std::vector<std::string> main_metrics(const std::vector<const RunRecord*>& runs);
// These metrics in another order: what chooses, of validation, before what is judged at the end.
std::vector<std::string> report_metrics(const std::vector<const RunRecord*>& runs);

// Throws Error(kUsage) for a metric or key of `options` that no run has.
void require_names(const std::vector<const RunRecord*>& runs, const ComparisonOptions& options);

// Groups in the order of `runs`, which must outlive it; their tests must measure the same
// (sections.h parts those that do not). The reference is the group that `baseline` selects; else of
// two groups the first, of more the best_group. Throws Error(kUsage) for a metric that
// no run has and a baseline that selects no group or several, and Error(kData) where no run can be
// compared.
Comparison compare_runs(const std::vector<const RunRecord*>& runs,
                        const ComparisonOptions& options);
// Compares as above, by names that require_names() let through, whether or not these runs have
// them.
Comparison compare_named(const std::vector<const RunRecord*>& runs,
                         const ComparisonOptions& options);

// Best first by a metric, those without failures before those with some; smallest first by anything
// else, or the other way round; groups without a value last.
void sort_groups(Comparison& comparison, const std::string& name, bool reversed = false);

// Keeps the groups that no other one beats in all of `names`: larger is better where that is the
// metric's goal, smaller elsewhere. Returns how many went, those without a value among them.
size_t keep_pareto_front(Comparison& comparison, const std::vector<std::string>& names);

}  // namespace vitrine

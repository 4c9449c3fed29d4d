#pragma once

#include <optional>
#include <string>
#include <vector>

#include "framework/comparing/comparison.h"

// What the page of a report knows of its runs: the table's columns, and the numbers of its charts.
namespace vitrine {

// Charts know a value by the column's id: no name that a run brings gets into a specification's
// fields and expressions.
struct ReportColumn {
  // kGroup: what a comparison calls the run's group, where several parameters part these; in no
  // table. kSection: the label of its section, where there are several.
  enum class Kind { kLabel, kStatus, kSection, kName, kParameter, kGroup, kSeed, kMetric, kFact };

  std::string id;    // "c3"
  std::string name;  // "model.hidden_d"
  Kind kind = Kind::kMetric;
  MetricInfo info = {};
  bool numeric = true;
  std::vector<nlohmann::ordered_json> values = {};  // that runs have, each once, sorted
  std::vector<nlohmann::ordered_json> cells = {};   // of each run; null where it has none
};

// Runs whose tests measure the same: what charts show together.
struct ReportSection {
  std::string label;  // empty where it is the only one
  std::vector<size_t> runs;
  std::optional<Comparison> comparison;  // none where no run has come far enough
};

struct ReportData {
  std::vector<RunRecord> runs;
  std::vector<std::string> labels;      // paths of the runs without what all have in common
  std::vector<ReportColumn> columns;    // label, status, names, what differs, metrics
  std::vector<ReportSection> sections;  // of most runs first; at least one
  // Each run's section, its group's label (empty without one) and how many runs of this diverged or
  // failed.
  std::vector<size_t> section_of;
  std::vector<std::string> groups;
  std::vector<size_t> failures;

  // That charts show first: the common_metric, of validation before those of the test; none without
  // any metric.
  const ReportColumn* first_metric() const;
  std::vector<const ReportColumn*> columns_of(ReportColumn::Kind kind) const;
  const ReportColumn* column(const std::string& name) const;  // none where there is none
  // The run's value as the page's script takes it: a number or text; null where there is none.
  nlohmann::ordered_json value(size_t run, const ReportColumn& column) const;
};

// The members of one object for each run that are the same in all of them.
nlohmann::ordered_json shared_members(const std::vector<const nlohmann::ordered_json*>& objects);

ReportData report_data(std::vector<RunRecord> runs);

// A row for each run: "run" (its number), "label", "status", "section", "failures" where its group
// has some, and the columns' ids.
nlohmann::ordered_json run_rows(const ReportData& data);

// The epochs of all runs as {"names": ["run", "epoch", "step", "seconds", "h0", ...], "rows":
// [...], "metrics": [{"id": "h0", "name": "train/loss"}, ...], "every": 1}. Of long histories every
// n-th epoch is taken ("every" tells the largest n), so that a page stays of sensible size.
nlohmann::ordered_json curves_of(const ReportData& data);

// A value of a column as the page shows it: accuracies in percent, text as it is.
std::string cell_text(const nlohmann::ordered_json& value, const ReportColumn& column);

}  // namespace vitrine

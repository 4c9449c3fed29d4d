#pragma once

#include <string>
#include <vector>

#include "framework/reports/comparison.h"

// What the page of a report knows of its runs: the table's columns, and the numbers of its charts.
namespace vitrine {

// Charts know a value by the column's id: no name that a run brings gets into a specification's
// fields and expressions.
struct ReportColumn {
  // kCell: all parameters together, where there are several and seeds; in no table.
  enum class Kind { kLabel, kStatus, kName, kParameter, kCell, kSeed, kMetric, kFact };

  std::string id;    // "c3"
  std::string name;  // "model.hidden_d"
  Kind kind = Kind::kMetric;
  MetricInfo info = {};
  bool numeric = true;
  std::vector<nlohmann::ordered_json> values = {};  // that runs have, each once, sorted
};

struct ReportData {
  std::vector<RunRecord> runs;
  std::vector<std::string> labels;    // paths of the runs without what all have in common
  std::vector<ReportColumn> columns;  // label, status, names, what differs, metrics
  std::vector<size_t> failures;       // of each run's group; as set_failures() leaves it

  const ReportColumn* first_metric() const;  // that charts show first; none without any metric
  std::vector<const ReportColumn*> columns_of(ReportColumn::Kind kind) const;
  const ReportColumn* column(const std::string& name) const;  // none where there is none
  // The run's value as the page's script takes it: a number or text; null where there is none.
  nlohmann::ordered_json value(size_t run, const ReportColumn& column) const;
};

// The members of one object for each run that are the same in all of them.
nlohmann::ordered_json shared_members(const std::vector<const nlohmann::ordered_json*>& objects);

ReportData report_data(std::vector<RunRecord> runs);

// Notes how many runs of each run's group diverged or failed.
void set_failures(ReportData& data, const Comparison& comparison);

// A row for each run: "run" (its number), "label", "status", "failures" where its group has some,
// and the columns' ids.
nlohmann::ordered_json run_rows(const ReportData& data);

// The epochs of all runs as {"names": ["run", "epoch", "step", "seconds", "h0", ...], "rows":
// [...], "metrics": [{"id": "h0", "name": "train/loss"}, ...], "every": 1}. Of long histories every
// n-th epoch is taken ("every" tells the largest n), so that a page stays of sensible size.
nlohmann::ordered_json curves_of(const ReportData& data);

// A value of a column as the page shows it: accuracies in percent, text as it is.
std::string cell_text(const nlohmann::ordered_json& value, const ReportColumn& column);

}  // namespace vitrine

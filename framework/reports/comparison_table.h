#pragma once

#include <string>
#include <vector>

#include "framework/reports/comparison.h"

namespace vitrine {

// Cells as text, the heading first.
struct ComparisonTable {
  struct Column {
    std::vector<std::string> cells;
    bool may_go = false;  // where room is short
  };
  std::vector<Column> columns;

  std::vector<std::vector<std::string>> rows() const;
};

// A row for each group: keys that differ, statistics of the metric, other values, marks. `columns`
// replaces the keys and other values; empty, the main metrics are shown, or with `all_metrics` all.
// Strings are not escaped.
ComparisonTable table_of(const Comparison& comparison, const std::vector<std::string>& columns,
                         bool all_metrics = false);

// The same rows for programs: numbers in full, a column of its own for each statistic.
std::string comparison_csv(const Comparison& comparison, const std::vector<std::string>& columns);
nlohmann::ordered_json comparison_json(const Comparison& comparison);

std::string to_markdown(const std::vector<std::vector<std::string>>& rows);
std::string to_latex(const std::vector<std::vector<std::string>>& rows);

}  // namespace vitrine

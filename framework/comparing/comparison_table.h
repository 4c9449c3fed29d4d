#pragma once

#include <string>
#include <vector>

#include "framework/comparing/comparison.h"

namespace vitrine {

// Cells as text, the heading first.
struct ComparisonTable {
  struct Column {
    std::vector<std::string> cells;
    int rank = 0;                    // as a TableColumn's
    std::string short_heading = {};  // empty: there is none
  };
  std::vector<Column> columns;
  std::vector<std::string> folded;  // keys that differ and have no column

  std::vector<std::vector<std::string>> rows() const;
};

// Columns of this rank and above are values beside the statistics.
constexpr int kOtherColumn = 100;

struct TableOptions {
  std::vector<std::string> columns = {};  // keys and values to show; empty: the main ones
  bool all_metrics = false;               // in place of the main ones
  size_t most_keys = 4;
  bool always_labels = false;  // also where columns of keys say the same
};

// A row for each group: the few keys that part the groups most, statistics of the metric, other
// values, marks. Strings are not escaped.
ComparisonTable table_of(const Comparison& comparison, const TableOptions& options = {});

}  // namespace vitrine

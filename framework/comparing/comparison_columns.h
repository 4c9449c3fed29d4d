#pragma once

#include <functional>
#include <string>
#include <vector>

#include "framework/comparing/comparison.h"

// What columns of a comparison hold, for tables and for programs.
namespace vitrine {

using CellText = std::function<std::string(const Group&)>;

// Names of what is worth a column beside the metric that decides, where some run has it: the main
// metrics, or all.
std::vector<std::string> other_columns(const Comparison& comparison, bool all_metrics);

// The values of the group's runs, "8" or "0, 1, 2, ...".
std::string values_of_runs(const Group& group, const std::string& name);

std::string marks_of(const Group& group);

// The cell of a group that is compared with the reference; empty for the reference itself.
CellText contrast_cell(const std::function<std::string(const Contrast&)>& shown);

}  // namespace vitrine

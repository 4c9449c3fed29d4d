#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "framework/reports/report_data.h"

// Specifications of Vega (version 5) for a report's charts: those of page/*.json, completed for the
// runs at hand. The page's script fills their data sets "runs" (run_rows, with the chosen metric as
// "value" and a "colour") and "points" (the rows of curves_of), and sets their signals "metric" and
// "hovered".
namespace vitrine {

// What curves_of returns, each run a line; where runs share a colour, their mean as a thick one.
nlohmann::ordered_json curves_chart(const nlohmann::ordered_json& curves);

// The metric of all runs against a parameter, with the mean over each of its values where these are
// few.
nlohmann::ordered_json effect_chart(const ReportColumn& parameter);

// The metric of all runs against what they cost, with a line of the runs that none beats with less.
nlohmann::ordered_json cost_chart(const ReportColumn& cost);

// An axis for each of `columns` and one for the metric. Ranges are chosen by dragging along an
// axis; then "kept" tells of each run in "chosen" whether it lies within all of them.
nlohmann::ordered_json parallel_chart(const std::vector<const ReportColumn*>& columns);

// How many images each class has; of more than `most` classes without their names, the largest
// first.
nlohmann::ordered_json counts_chart(const std::vector<std::string>& names,
                                    const std::vector<int64_t>& images, size_t most);

// `task` as test.json has it: images of each class (rows) by the class that was predicted.
nlohmann::ordered_json confusion_chart(const nlohmann::ordered_json& task);
// Recall and precision of each of the classes or labels of a task, as test.json has them; `what`:
// "class" or "label".
nlohmann::ordered_json class_chart(const nlohmann::ordered_json& classes, const std::string& what);

}  // namespace vitrine

#pragma once

#include <string>

#include "framework/engine/data_view.h"

namespace vitrine {

// A page about a data set, as report_page makes one about runs. `config`: of its data set, in YAML.
std::string data_page(const DataView& view, const std::string& name, const std::string& config);

// Rows of a table: how many images each class, or label, has in each split; of more classes than
// `most` those with the fewest training images and those with the most. The heading comes first.
std::vector<std::vector<std::string>> count_rows(const DataView& view, const DataColumn& column,
                                                 size_t most);
// Rows of a table: between which numbers the values lie in each split.
std::vector<std::vector<std::string>> range_rows(const DataView& view, const DataColumn& column);
// "3 of the 64 test images are among those of train", and how many were not compared; lines of
// text.
std::vector<std::string> shared_lines(const DataView& view);

}  // namespace vitrine

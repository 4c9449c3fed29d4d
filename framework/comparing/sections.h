#pragma once

#include <string>
#include <vector>

#include "framework/comparing/comparison.h"

namespace vitrine {

// Runs whose tests measure the same: the same test images, the same tasks, and where a loss decides
// the same loss. Only these are compared.
struct Section {
  std::string label;  // "digits, 400 test images"; empty where it is the only one
  std::vector<const RunRecord*> runs;
};

// Parts runs by what their tests measure as far as `metric` goes; those of most runs first. Runs
// that cannot be compared go with the first section. Runs of earlier versions, which do not tell
// their test images, are parted by their whole data set.
std::vector<Section> parted(const std::vector<const RunRecord*>& runs, const std::string& metric);

struct ComparedSection {
  std::string label;
  size_t runs = 0;  // also those that cannot be compared
  Comparison comparison;
};

// A comparison of each section. All have the same metric, as far as their runs have it; a baseline
// holds for the sections in which it selects a run. Throws what compare_runs throws.
std::vector<ComparedSection> compare_sections(const std::vector<const RunRecord*>& runs,
                                              const ComparisonOptions& options);

}  // namespace vitrine

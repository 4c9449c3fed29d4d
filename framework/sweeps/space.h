#pragma once

#include <string>
#include <vector>

#include "framework/sweeps/options.h"
#include "framework/sweeps/range.h"

namespace vitrine {

// How many combinations there are; none: very many, or numbers that lie densely.
using Count = std::optional<uint64_t>;
Count product(Count a, Count b);

struct Variable;

// Keys that are set, and what varies beside them.
struct Variant {
  std::string name;  // of a cell that has one
  std::vector<Setting> settings;
  std::vector<Variable> variables;
  Count count = 1;
};

// What takes one of several variants, or a number of a range.
struct Variable {
  std::string path;
  std::vector<Variant> variants;
  std::optional<Range> range;
  FieldType type = {};
  Count count = 1;
};

// All that a sweep may try. Lists and ranges may stand at any depth of a value: whether a list is a
// value or several, and whether a range is of whole numbers, its key's type tells.
struct Space {
  static constexpr uint64_t kMostCombinations = 100'000;  // that are counted

  bool has_cells = false;
  std::vector<Variant> cells;  // one without any key where there are none
  std::vector<Variable> parameters;
  Count count_of_cells = 1, count_of_parameters = 1;
};

// What is wrong goes to `problems`, and is left out.
Space read_space(const SweepOptions& options, const FieldTypes& types, Problems& problems);

// The paths that differ between combinations.
std::vector<std::string> varying_paths(const Space& space);

}  // namespace vitrine

#pragma once

#include <optional>
#include <random>
#include <string>
#include <vector>

#include "framework/sweeps/spec.h"

namespace vitrine {

// One choice of a value for every key that a sweep sets.
struct Combination {
  size_t config = 0;  // of SweepSpec::configs
  std::vector<Setting> settings;
};

// The combinations of a sweep, one after the other: all of a grid, the last key varying fastest; or
// draws without end, of which no two are equal.
class Combinations {
 public:
  explicit Combinations(const SweepSpec& spec);

  // How many there are; none where they are drawn from a range.
  std::optional<uint64_t> count() const { return count_; }
  // None when there are no more.
  std::optional<Combination> next();

 private:
  std::optional<Combination> next_of_grid();
  std::optional<Combination> draw();
  Node draw_value(const Parameter& parameter);
  double draw_number();  // [0, 1)
  size_t draw_index(size_t count);

  const SweepSpec& spec_;
  std::optional<uint64_t> count_;
  uint64_t position_ = 0;
  std::mt19937_64 generator_;
  std::vector<std::string> drawn_;  // sorted
};

}  // namespace vitrine

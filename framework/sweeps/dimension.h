#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace vitrine {

struct Space;

// One thing that a search chooses: one of several variants, or a number of a range. What is chosen
// is a share of [0, 1), as where a combination is drawn by chance.
struct Dimension {
  bool is_choice = false;  // variants, of which none is nearer to one than to another
  uint64_t values = 0;     // how many there are; 0: numbers lie densely
  // Of a logarithmic range in steps: its smallest number, in steps.
  std::optional<double> log_offset;
  // It is there only where that dimension takes its value number `branch`.
  std::optional<size_t> parent;
  uint64_t branch = 0;

  uint64_t index(double share) const;  // of `values`
  // The shares that stand for value number `i`: from the first up to the second.
  std::pair<double, double> shares(uint64_t i) const;
};

// A share for each dimension; none where the dimension is not there.
using SearchPoint = std::vector<std::optional<double>>;

// The dimensions in the order in which they are drawn, parents first. `configs`: how many stand
// side by side, the first thing that is drawn.
std::vector<Dimension> dimensions_of(const Space& space, size_t configs);
// Whether the dimension is there, by the shares of those before it.
bool is_there(const std::vector<Dimension>& dimensions, size_t i, const SearchPoint& point);
// `shares`: those drawn, of the dimensions that are there.
SearchPoint to_point(const std::vector<Dimension>& dimensions, const std::vector<double>& shares);

}  // namespace vitrine

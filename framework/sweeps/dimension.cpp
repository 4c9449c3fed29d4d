#include "framework/sweeps/dimension.h"

#include <algorithm>
#include <cmath>

#include "framework/sweeps/space.h"

namespace vitrine {
namespace {

class Lister {
 public:
  std::vector<Dimension> take() && { return std::move(dimensions_); }

  void add_choice(uint64_t count) {
    Dimension out = {.is_choice = true, .values = count, .parent = parent_, .branch = branch_};
    dimensions_.push_back(out);
  }

  // The last one that was added takes one of these.
  void add_below(const std::vector<Variant>& variants) {
    const auto parent = std::pair(parent_, branch_);
    const size_t choice = dimensions_.size() - 1;
    for (size_t i = 0; i < variants.size(); ++i) {
      parent_ = choice;
      branch_ = i;
      add(variants[i].variables);
    }
    std::tie(parent_, branch_) = parent;
  }

  void add(const std::vector<Variable>& variables) {
    for (const Variable& variable : variables) {
      if (variable.range) {
        add(*variable.range, variable.type);
      } else {
        add_choice(variable.variants.size());
        add_below(variable.variants);
      }
    }
  }

 private:
  void add(const Range& range, const FieldType& type) {
    const auto values = range.count(range.is_whole(type));
    Dimension out = {.values = values.value_or(0), .parent = parent_, .branch = branch_};
    if (values && range.log) out.log_offset = range.min / range.step.value_or(1);
    dimensions_.push_back(out);
  }

  std::vector<Dimension> dimensions_;
  std::optional<size_t> parent_;
  uint64_t branch_ = 0;
};

}  // namespace

// As Range::draw takes it.
uint64_t Dimension::index(double share) const {
  const auto count = static_cast<double>(values);
  double position = share * count;
  if (log_offset) position = *log_offset * (std::pow(1 + count / *log_offset, share) - 1);
  return std::min(static_cast<uint64_t>(position), values - 1);
}

std::pair<double, double> Dimension::shares(uint64_t i) const {
  const auto count = static_cast<double>(values);
  const auto share = [&](double position) {
    if (!log_offset) return position / count;
    return std::log1p(position / *log_offset) / std::log1p(count / *log_offset);
  };
  return {share(static_cast<double>(i)), share(static_cast<double>(i + 1))};
}

std::vector<Dimension> dimensions_of(const Space& space, size_t configs) {
  Lister out;
  out.add_choice(configs);
  if (space.has_cells) {
    out.add_choice(space.cells.size());
    out.add_below(space.cells);
  }
  out.add(space.parameters);
  return std::move(out).take();
}

bool is_there(const std::vector<Dimension>& dimensions, size_t i, const SearchPoint& point) {
  const Dimension& dimension = dimensions[i];
  if (!dimension.parent) return true;
  const auto& above = point[*dimension.parent];
  return above && dimensions[*dimension.parent].index(*above) == dimension.branch;
}

SearchPoint to_point(const std::vector<Dimension>& dimensions, const std::vector<double>& shares) {
  SearchPoint out(dimensions.size());
  size_t taken = 0;
  for (size_t i = 0; i < dimensions.size() && taken < shares.size(); ++i) {
    if (is_there(dimensions, i, out)) out[i] = shares[taken++];
  }
  return out;
}

}  // namespace vitrine

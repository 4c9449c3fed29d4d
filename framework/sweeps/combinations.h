#pragma once

#include <optional>
#include <random>
#include <string>
#include <vector>

#include "framework/sweeps/dimension.h"
#include "framework/sweeps/space.h"
#include "framework/sweeps/spec.h"

namespace vitrine {

// One choice of a value for every key that a sweep sets.
struct Combination {
  size_t config = 0;  // of SweepSpec::configs
  std::string name;   // of its cell, where that has one
  std::vector<Setting> settings;
  std::vector<double> shares;  // of one that was drawn: what was drawn, in its order
};

// The config of a combination, as it would be written in a file.
Node config_of(const SweepSpec& spec, size_t config, const std::vector<Setting>& settings);

// The combinations of a sweep, one after the other: all of a grid, the last key varying fastest; or
// draws without end, of which no two are equal.
class Combinations {
 public:
  // Throws Error(kUsage) for a grid of too many.
  Combinations(const SweepSpec& spec, const Space& space, const FieldTypes& types);

  // How many there are; none where numbers of a range lie densely, or where they are very many.
  std::optional<uint64_t> count() const { return count_; }
  // The next one; none when there are no more.
  std::optional<Combination> next();
  // The one that drawing these shares would give.
  Combination at(const SearchPoint& point);
  // A few in which every value of every list, and both ends of every range, occur.
  std::vector<Combination> samples() const;

  // Numbers that were drawn so far; a sweep that grows goes on behind them.
  uint64_t drawn() const { return drawn_; }
  void skip(uint64_t drawn);
  // Whether all of them were drawn.
  bool is_exhausted() const { return count_ && known_.size() >= *count_; }
  // One that was there before is not drawn again. False: that was known.
  bool exclude(const Combination& combination);

 private:
  class Builder;

  std::optional<Combination> next_of_grid();
  void take(const std::vector<Variable>& variables, uint64_t count, uint64_t index,
            Builder& to) const;
  void take(const std::vector<Variant>& variants, uint64_t count, uint64_t index,
            Builder& to) const;
  std::optional<Combination> draw();
  Combination draw_one();
  void draw(const Variant& variant, Builder& to);
  void draw(const std::vector<Variable>& variables, Builder& to);
  static void sample(const Variant& variant, uint64_t number, Builder& to);
  double draw_number();  // [0, 1)
  size_t draw_index(size_t count);
  bool is_whole(const Variable& variable, const Combination& combination) const;

  const SweepSpec& spec_;
  const Space& space_;
  const FieldTypes& types_;
  std::optional<uint64_t> count_;
  uint64_t position_ = 0, drawn_ = 0;
  std::mt19937_64 generator_;
  const SearchPoint* given_ = nullptr;  // in the place of what is drawn, from `next_` on
  size_t next_ = 0;
  std::vector<double> shares_;      // of the combination that is drawn
  std::vector<std::string> known_;  // those drawn, sorted
};

}  // namespace vitrine

#pragma once

#include <cstdint>
#include <string>

#include "framework/config/fields.h"

namespace vitrine {

// A stretch of training: "1 epoch", "500 steps", "10 min"; a lone number counts epochs.
struct Interval {
  enum class Unit { kEpochs, kSteps, kMinutes };

  double count = 0;
  Unit unit = Unit::kEpochs;

  static Interval epochs(double count) { return {count, Unit::kEpochs}; }
  static Interval steps(double count) { return {count, Unit::kSteps}; }
  // The interval in steps, rounded; minutes are not steps and give 0.
  int64_t in_steps(int64_t steps_per_epoch) const;

  void read(const Node& node, const std::string& path, Problems& problems);
  Node write() const;
  static std::string type() { return "N epochs, N steps or N min"; }
  static nlohmann::ordered_json schema();
};

// How many of a set: a count (5000) or a fraction (0.1).
struct Amount {
  double value = 0;

  int64_t of(int64_t total) const;  // rounded; may exceed total where it is a count

  void read(const Node& node, const std::string& path, Problems& problems);
  Node write() const;
  static std::string type() { return "count, or fraction below 1"; }
  static nlohmann::ordered_json schema();
};

// A path of a file or folder; "~" and "~/x" lie in the home folder. The resolved config holds it
// absolute, so that it can be run again from anywhere.
struct Path {
  static constexpr Role kRole = Role::kPlace;

  std::string value;

  bool empty() const { return value.empty(); }
  void read(const Node& node, const std::string& path, Problems& problems);
  Node write() const;
  static std::string type() { return "path, or null"; }
  static nlohmann::ordered_json schema();
};

}  // namespace vitrine

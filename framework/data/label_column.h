#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vitrine {

// What a data set calls its only column of labels.
inline constexpr const char* kLabel = "label";

// A column of labels, as far as a data set tells of it without reading pixels.
struct LabelColumn {
  enum class Kind {
    kClasses,  // an image is of one of them: int64 [N]
    kLabels,   // an image may have any of them: float [N, names], 0 or 1
    kValues    // real numbers: float [N, names]
  };

  std::string name;
  Kind kind = Kind::kClasses;
  std::vector<std::string> names;  // of the classes, the labels or the values

  int64_t size() const { return static_cast<int64_t>(names.size()); }
};

// The columns of a data set that tells classes alone.
inline std::vector<LabelColumn> class_column(std::vector<std::string> names) {
  return {{kLabel, LabelColumn::Kind::kClasses, std::move(names)}};
}

// What the tasks of a run ask of a column's labels besides its kind.
struct LabelUse {
  std::optional<int64_t> ignored;  // a number that need not be of a class
  bool is_distribution = false;    // each row is shares of classes
};
using LabelUses = std::map<std::string, LabelUse>;  // by the column's name

}  // namespace vitrine

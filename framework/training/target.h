#pragma once

#include <string>
#include <vector>

#include "framework/config/check.h"
#include "framework/config/fields.h"

namespace vitrine {

// What a task is to tell about an image, from the data set's label: the label itself, whether it is
// above a class, or whether it is one of some classes. The last two have two classes: 0 for no, 1
// for yes.
struct Target {
  enum class Kind { kLabel, kAbove, kOneOf };

  Kind kind = Kind::kLabel;
  std::vector<int64_t> classes;  // numbers of the data set's classes: one for kAbove

  int64_t of_label(int64_t label) const;
  std::vector<int64_t> of_labels(int64_t n_labels) const;  // of each label from 0
  // What its values mean: "not above 5" and "above 5"; `names` are the data set's.
  std::vector<std::string> class_names(const std::vector<std::string>& names) const;
  // Reports, at `field` of `check`, a target that no label or every label of `n_labels` meets.
  void check_against(int64_t n_labels, const char* field, Check& check) const;

  void read(const Node& node, const std::string& path, Problems& problems);
  Node write() const;
  static std::string type() { return "label, {above: N} or {one_of: [N, ...]}"; }
  static nlohmann::ordered_json schema();
};

}  // namespace vitrine

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "framework/comparing/runs.h"

namespace vitrine {

// What is asked of a run: "model.hidden_d=8", "model.mlp!=gelu", "test/accuracy>=0.9". Commas
// outside brackets and quotes part alternatives: "model.hidden_d=8,16".
class Condition {
 public:
  // Throws Error(kUsage), which begins with `option`, for what is no condition.
  Condition(const std::string& text, const std::string& option);

  const std::string& name() const { return name_; }
  // A run without such a value is not equal to anything, and neither above nor below.
  bool holds(const RunRecord& run) const;

 private:
  struct Value {
    std::string text;
    nlohmann::ordered_json json;
  };
  bool is_equal(const nlohmann::ordered_json& value, const Value& wanted) const;
  bool is_any(const nlohmann::ordered_json& value) const;

  std::string name_, operator_;
  std::vector<Value> wanted_;
};

// Throws Error(kUsage), which begins with `option` and lists near names, where no run has a value
// of this name.
void require_name(const std::vector<const RunRecord*>& runs, const std::string& name,
                  const std::string& option);

// The runs for which all conditions hold and that have all tags, and those that cannot be read.
// Throws Error(kUsage), which tells what there is, for a name or tag that no run has, and where no
// run is left.
std::vector<const RunRecord*> select_runs(const std::vector<const RunRecord*>& runs,
                                          const std::vector<Condition>& conditions,
                                          const std::vector<std::string>& tags);

// A value of a config as one would write it there, on one line.
std::string shown_value(const nlohmann::ordered_json& value);

}  // namespace vitrine

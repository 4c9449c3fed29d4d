#include "framework/comparing/comparison_columns.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "framework/comparing/groups.h"

namespace vitrine {

namespace {

constexpr size_t kShownValues = 3;

// Of `names`, those that some run has, without the metric that decides.
std::vector<std::string> present(const Comparison& comparison,
                                 const std::vector<std::string>& names) {
  std::vector<std::string> out;
  for (const std::string& name : names) {
    const auto has = [&](const Group& group) { return group.runs[0]->value(name).has_value(); };
    if (name != comparison.metric &&
        std::any_of(comparison.groups.begin(), comparison.groups.end(), has)) {
      out.push_back(name);
    }
  }
  return out;
}

}  // namespace

std::vector<std::string> other_columns(const Comparison& comparison, bool all_metrics) {
  std::vector<std::string> names;
  const auto is_main = [&](const std::string& name) {
    const auto chooses = [&](const Group& group) {
      return name == "validation/" + group.runs[0]->metrics.judged_by();
    };
    return name.starts_with("test/") ||
           std::any_of(comparison.groups.begin(), comparison.groups.end(), chooses);
  };
  for (const char* split : {"test/", "validation/", "train/", ""}) {
    for (const auto& [name, info] : comparison.infos) {
      const size_t slash = name.find('/');
      const bool here = name.substr(0, slash == name.npos ? 0 : slash + 1) == split;
      if (here && (all_metrics || is_main(name))) names.push_back(name);
    }
  }
  names.emplace_back("model.parameters");
  names.emplace_back(all_metrics ? "model.flops_per_image" : "seconds");
  names = present(comparison, names);
  if (!all_metrics) return names;
  std::stable_partition(names.begin(), names.end(),
                        [](const std::string& name) { return name.find('/') != name.npos; });
  return names;
}

std::string values_of_runs(const Group& group, const std::string& name) {
  if (const auto own = group.values.find(name); own != group.values.end())
    return shown_key_value(name, *own);
  std::vector<std::string> shown;
  for (const RunRecord* run : group.runs) {
    const auto value = run->value(name);
    const std::string text = value ? shown_key_value(name, *value) : "-";
    if (std::find(shown.begin(), shown.end(), text) == shown.end()) shown.push_back(text);
    if (shown.size() > kShownValues) break;
  }
  if (shown.size() > kShownValues) shown.back() = "...";
  return fmt::format("{}", fmt::join(shown, ", "));
}

std::string marks_of(const Group& group) { return fmt::format("{}", fmt::join(group.marks, ", ")); }

CellText contrast_cell(const std::function<std::string(const Contrast&)>& shown) {
  return [shown](const Group& group) { return group.contrast ? shown(*group.contrast) : ""; };
}

}  // namespace vitrine

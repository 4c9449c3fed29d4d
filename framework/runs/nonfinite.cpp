#include "framework/runs/nonfinite.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <vector>

#include "framework/error.h"
#include "framework/runs/object_reader.h"

namespace vitrine {

namespace {

using Object = nlohmann::ordered_json;

// Calls `visit(value, path)` on each value that is no container, as in "history[0].train/loss".
template <class Visit>
void walk(Object& value, const std::string& path, const Visit& visit) {
  if (value.is_object()) {
    for (const auto& [key, member] : value.items()) {
      walk(member, path.empty() ? key : path + "." + key, visit);
    }
  } else if (value.is_array()) {
    for (size_t i = 0; i < value.size(); ++i) walk(value[i], fmt::format("{}[{}]", path, i), visit);
  } else {
    visit(value, path);
  }
}

bool is_nonfinite(const Object& value) {
  return value.is_number_float() && !std::isfinite(value.get<double>());
}

bool holds_nonfinite(const Object& value) {
  if (!value.is_structured()) return is_nonfinite(value);
  return std::any_of(value.begin(), value.end(), holds_nonfinite);
}

}  // namespace

void name_nonfinite(Object& object) {
  if (!holds_nonfinite(object)) return;  // nearly always; no place needs a name
  std::vector<std::string> paths;
  walk(object, "", [&](Object& value, const std::string& path) {
    if (!is_nonfinite(value)) return;
    value = nullptr;
    paths.push_back(path);
  });
  if (!paths.empty()) object["nonfinite"] = paths;
}

void restore_nonfinite(Object& object, const std::string& where) {
  if (!object.is_object() || !object.contains("nonfinite")) return;
  const std::vector<std::string> names = ObjectReader(object, where).strings("nonfinite");
  std::set<std::string> paths(names.begin(), names.end());
  object.erase("nonfinite");
  walk(object, "", [&](Object& value, const std::string& path) {
    if (value.is_null() && paths.erase(path)) value = std::numeric_limits<double>::quiet_NaN();
  });
  if (paths.empty()) return;
  throw Error(ExitCode::kData, fmt::format("{}: nonfinite: \"{}\" names no null in this file",
                                           where, escape(*paths.begin())));
}

}  // namespace vitrine

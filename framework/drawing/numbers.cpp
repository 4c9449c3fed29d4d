#include "framework/drawing/numbers.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

#include "framework/drawing/picture.h"
#include "framework/error.h"

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;

Json unit_of(const std::string& unit) { return unit.empty() ? Json() : Json(unit); }

// With the digits that tell it from other floats: 0.1, not 0.10000000149011612.
Json shortest(float value) {
  if (!std::isfinite(value)) return nullptr;
  return std::strtod(fmt::format("{}", value).c_str(), nullptr);
}

Json nested(const Numbers& numbers, size_t axis, size_t& next) {
  Json out = Json::array();
  for (size_t i = 0; i < numbers.axes[axis].values.size(); ++i) {
    out.push_back(axis + 1 == numbers.axes.size() ? shortest(numbers.values.at(next++))
                                                  : nested(numbers, axis + 1, next));
  }
  return out;
}

bool is_plain(const Json& value) {
  for (const Json& each : value) {
    if (each.is_structured()) return false;
  }
  return true;
}

// A line for each list or object that holds no other.
void append_json(std::string& out, const Json& value, size_t indent) {
  if (!value.is_structured() || is_plain(value)) {
    out += value.dump();
    return;
  }
  const std::string line = "\n" + std::string(indent + 1, ' ');
  out += value.is_object() ? "{" : "[";
  bool first = true;
  for (const auto& [key, each] : value.items()) {
    if (!first) out += ",";
    first = false;
    out += line;
    if (value.is_object()) out += Json(key).dump() + ": ";
    append_json(out, each, indent + 1);
  }
  out += "\n" + std::string(indent, ' ') + (value.is_object() ? "}" : "]");
}

}  // namespace

nlohmann::ordered_json counted(int64_t count) {
  Json out = Json::array();
  for (int64_t i = 0; i < count; ++i) out.push_back(i);
  return out;
}

nlohmann::ordered_json json_of(const Numbers& numbers) {
  if (numbers.values.size() > kMaxNumbers) {
    throw Error(ExitCode::kUsage,
                fmt::format("a picture of {} numbers is too large: a JSON file holds at most {}",
                            numbers.values.size(), kMaxNumbers));
  }
  Json axes = Json::array();
  for (const NumbersAxis& axis : numbers.axes) {
    axes.push_back({{"name", axis.name}, {"unit", unit_of(axis.unit)}, {"values", axis.values}});
  }
  size_t next = 0;
  return {{"axes", std::move(axes)},
          {"value", {{"name", numbers.value}, {"unit", unit_of(numbers.unit)}}},
          {"values", nested(numbers, 0, next)}};
}

std::string to_json(const Picture& picture) {
  if (!picture.numbers)
    throw Error(ExitCode::kUsage, "this picture gives no numbers: write a .png or a .svg");
  Json out = {{"format", 1},
              {"title", picture.title},
              {"subject", unit_of(picture.subject)},
              {"notes", picture.notes}};
  const Json numbers = picture.numbers();
  for (const auto& [key, value] : numbers.items()) out[key] = value;
  std::string text;
  append_json(text, out, 0);
  return text + "\n";
}

}  // namespace vitrine

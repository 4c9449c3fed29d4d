#include "framework/config/units.h"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>

#include "framework/config/scalar.h"
#include "framework/error.h"
#include "framework/files/paths.h"

namespace vitrine {

using Json = nlohmann::ordered_json;

int64_t Interval::in_steps(int64_t steps_per_epoch) const {
  if (unit == Unit::kMinutes) return 0;
  return std::llround(unit == Unit::kEpochs ? count * static_cast<double>(steps_per_epoch) : count);
}

void Interval::read(const Node& node, const std::string& path, Problems& problems) {
  const size_t space = node.scalar.find(' ');
  const auto number =
      node.kind == Node::Kind::kScalar ? parse_number(node.scalar.substr(0, space)) : std::nullopt;
  const std::string word = space == node.scalar.npos ? "epochs" : node.scalar.substr(space + 1);
  const bool is_epochs = word == "epoch" || word == "epochs";
  const bool is_steps = word == "step" || word == "steps";
  if (!number || !(*number >= 0 && *number < 1e15) || !(is_epochs || is_steps || word == "min") ||
      (is_steps && std::floor(*number) != *number)) {
    problems.add(node.location,
                 fmt::format("{}: expected a stretch of training, got {}", path, node.shown()),
                 "written as 1 epoch, 500 steps or 10 min");
    return;
  }
  count = *number;
  unit = is_epochs ? Unit::kEpochs : is_steps ? Unit::kSteps : Unit::kMinutes;
}

Node Interval::write() const {
  const char* word = unit == Unit::kMinutes ? "min" : unit == Unit::kSteps ? "step" : "epoch";
  return Node::string(
      fmt::format("{} {}{}", count, word, unit == Unit::kMinutes || count == 1 ? "" : "s"));
}

Json Interval::schema() {
  return {{"type", Json::array({"string", "number"})},
          {"minimum", 0},
          {"pattern", R"(^\+?[0-9.][0-9._eE+-]*( (epochs?|steps?|min))?$)"}};
}

int64_t Amount::of(int64_t total) const {
  return std::llround(value < 1 ? value * static_cast<double>(total) : value);
}

void Amount::read(const Node& node, const std::string& path, Problems& problems) {
  const auto number =
      node.kind == Node::Kind::kScalar && !node.quoted ? parse_number(node.scalar) : std::nullopt;
  if (!number || !(*number >= 0 && *number < 1e15) ||
      (*number >= 1 && std::floor(*number) != *number)) {
    problems.add(node.location,
                 fmt::format("{}: expected a count or a fraction, got {}", path, node.shown()),
                 "a whole number such as 5000, or a fraction below 1 such as 0.1");
    return;
  }
  value = *number;
}

Node Amount::write() const { return Node::plain(number_text(value)); }

Json Amount::schema() {
  const Json count = {{"type", "integer"}, {"minimum", 0}};
  return {{"anyOf",
           Json::array({count, {{"type", "number"}, {"minimum", 0}, {"exclusiveMaximum", 1}}})}};
}

namespace {

std::string absolute(const std::string& path) {
  return std::filesystem::absolute(path).lexically_normal().string();
}

}  // namespace

void Path::read(const Node& node, const std::string& path, Problems& problems) {
  // "~" is YAML's other word for nothing, but who writes it for a path means the home folder.
  const bool is_home = node.kind == Node::Kind::kNull && node.scalar == "~";
  if (is_home || (node.kind == Node::Kind::kScalar && !node.scalar.empty())) {
    value = expand_home(node.scalar);
    if (!is_utf8(absolute(value))) {
      problems.add(node.location,
                   fmt::format("{}: {} is not UTF-8, which a config has to be", path,
                               escape(absolute(value))),
                   "run in a folder with another name");
    }
  } else if (node.kind == Node::Kind::kNull) {
    value.clear();
  } else {
    problems.add(node.location,
                 fmt::format("{}: expected a path or null, got {}", path, node.shown()));
  }
}

Node Path::write() const {
  if (value.empty()) return Node::null();
  return Node::string(absolute(value));
}

Json Path::schema() { return {{"type", Json::array({"string", "null"})}}; }

}  // namespace vitrine

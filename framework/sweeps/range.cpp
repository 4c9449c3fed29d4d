#include "framework/sweeps/range.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "framework/config/scalar.h"

namespace vitrine {
namespace {

constexpr double kMostWhole = 1e15;
constexpr const char* kShared =
    "an end is a number, ${env:NAME}, or ${KEY} of a key that the config sets and the sweep does "
    "not";
constexpr const char* kShort = "such as 1e-4..0.1, log:1e-4..0.1, or 0..1:0.25 in steps";

bool is_whole_number(const std::optional<double>& value) {
  return !value || (std::floor(*value) == *value && std::abs(*value) <= kMostWhole);
}

// Draws a few digits, which tell apart what matters and can be read.
std::string four_digits(double value, double min, double max) {
  return number_text(
      std::clamp(std::strtod(fmt::format("{:.4g}", value).c_str(), nullptr), min, max));
}

// How the key `distribution` of older sweeps is said now.
void refuse_distribution(const Node& given, const std::string& path, Problems& problems) {
  const std::string& word = given.scalar;
  const char* now = word == "log_uniform"   ? "write log: true instead"
                    : word == "int_uniform" ? "leave it out: a key that takes whole numbers is "
                                              "given whole numbers"
                                            : "leave it out: numbers are drawn evenly, unless "
                                              "log: true";
  problems.add(given.key_location, path + ".distribution: a range has no such key", now);
}

void check_range(const Range& range, const Node& node, const std::string& path,
                 Problems& problems) {
  const auto wrong = [&](const std::string& message) {
    problems.add(node.location, path + ": " + message);
  };
  for (const double end : {range.min, range.max}) {
    if (!std::isfinite(end)) return wrong(fmt::format("{} is no end of a range", end));
  }
  if (!(range.min < range.max))
    return wrong(fmt::format("min ({}) must be below max ({})", range.min, range.max));
  if (range.log && range.min <= 0)
    wrong(fmt::format("log: true: min ({}) must be above 0", range.min));
  if (range.step && !(*range.step > 0 && *range.step <= range.max - range.min)) {
    wrong(fmt::format("step ({}) must be above 0, and at most max - min ({})", *range.step,
                      range.max - range.min));
  } else if (range.step && (range.max - range.min) / *range.step > kMostWhole) {
    wrong(fmt::format("step ({}) is too small", *range.step));
  }
}

void check_type(const Range& range, const Node& node, const std::string& path,
                const FieldType& type, Problems& problems) {
  if (type.is_known() && !type.takes_number()) {
    problems.add(node.location, path + ": a range is of numbers, which this key does not take",
                 "its values are listed");
  }
  if (!type.takes_whole() || type.takes_real() || range.has_whole_ends) return;
  for (const char* key : {"min", "max", "step"}) {
    const Node* given = node.find(key);
    const auto value = given ? parse_number(given->scalar) : std::nullopt;
    if (is_whole_number(value)) continue;
    const std::string limit =
        fmt::format("the ends of a range of whole numbers are at most {:g}", kMostWhole);
    problems.add(given->location,
                 fmt::format("{}.{}: expected a whole number, got {}", path, key, given->shown()),
                 std::abs(*value) > kMostWhole ? limit : "the key takes whole numbers");
  }
}

// "key: number" at the place of `text`.
void set_number(Node& range, const char* key, const std::string& number, const Node& text) {
  Node& value = range.set(key, Node::plain(number));
  value.location = value.key_location = text.location;
}

}  // namespace

void Range::visit(Fields& field) {
  field("min", min, "smallest value");
  field("max", max, "largest value");
  field("log", log, "draw each order of magnitude as often as the next");
  field("step", step, "take min, min + step, min + 2 step, ... alone; null: whatever lies between",
        above(0));
}

bool Range::is_whole(const FieldType& type) const {
  if (type.takes_whole() != type.takes_real()) return type.takes_whole();
  return has_whole_ends;
}

std::optional<uint64_t> Range::count(bool whole) const {
  if (!whole && !step) return std::nullopt;
  // A last step that only rounding leaves out is taken.
  return static_cast<uint64_t>(std::floor((max - min) / step.value_or(1) + 1e-9)) + 1;
}

Node Range::node(const std::string& number, const Location& where) const {
  Node out = Node::plain(number);
  out.location = where;
  out.key = key;
  out.key_location = place_of_key;
  return out;
}

Node Range::number(uint64_t i, bool whole) const {
  const double value = std::min(min + static_cast<double>(i) * step.value_or(1), max);
  return node(whole ? std::to_string(static_cast<int64_t>(value))
                    : number_text(std::strtod(fmt::format("{:.12g}", value).c_str(), nullptr)),
              place);
}

Node Range::draw(double share, bool whole) const {
  const auto numbers = count(whole);
  if (!numbers) {
    const double value = log ? min * std::pow(max / min, share) : min + share * (max - min);
    return node(four_digits(value, min, max), place);
  }
  double position = share * static_cast<double>(*numbers);
  if (log) {
    const double distance = step.value_or(1), end = min + distance * static_cast<double>(*numbers);
    position = (min * std::pow(end / min, share) - min) / distance;
  }
  return number(std::min(static_cast<uint64_t>(position), *numbers - 1), whole);
}

Node Range::end(bool first, bool whole) const {
  if (first) return node(number(0, whole).scalar, place);
  const auto numbers = count(whole);
  return node(numbers ? number(*numbers - 1, whole).scalar : number_text(max), place_of_max);
}

bool looks_like_range(const Node& node) {
  static constexpr std::string_view kKeys[] = {"min", "max", "log", "step", "distribution"};
  const auto is_key = [](const Node& child) {
    return std::find(std::begin(kKeys), std::end(kKeys), child.key) != std::end(kKeys);
  };
  return node.is_mapping() && !node.children.empty() &&
         std::all_of(node.children.begin(), node.children.end(), is_key);
}

bool refers_as_range(const Node& text) {
  std::string numbers = text.refers;
  for (size_t begin; (begin = numbers.find("${")) != numbers.npos;) {
    const size_t end = numbers.find('}', begin);
    if (end == numbers.npos) return false;
    numbers.replace(begin, end + 1 - begin, "1");
  }
  return is_range_text(numbers);
}

std::optional<Node> spelled_out(const Node& text, const std::string& path, Problems& problems) {
  if (refers_as_range(text)) {
    problems.add(
        text.location,
        fmt::format("{}: {}: the ends of a range are the same for all trials", path, text.shown()),
        kShared);
    return Node::sequence({});
  }
  if (text.kind != Node::Kind::kScalar || text.quoted || !is_range_text(text.scalar))
    return std::nullopt;
  const auto wrong = [&](const std::string& message, const std::string& hint) {
    problems.add(text.location, fmt::format("{}: {}: {}", path, text.shown(), message), hint);
    return Node::sequence({});
  };
  const bool log = text.scalar.starts_with("log:");
  const std::string range = text.scalar.substr(log ? 4 : 0);
  if (range.find("...") != range.npos)
    return wrong("three dots may be meant in two ways",
                 "write 0.5 instead of .5, and 5 instead of 5.");
  const size_t dots = range.find(".."), colon = std::min(range.find(':', dots), range.size());
  if (range.find("..", dots + 2) != range.npos)
    return wrong("a range has two ends", "steps stand behind a colon, as in 0..1:0.25");
  const std::string first = range.substr(0, dots), last = range.substr(dots + 2, colon - dots - 2);
  const auto min = parse_number(first), max = parse_number(last);
  const std::string step = range.substr(std::min(colon + 1, range.size()));
  if (!min || !max || (colon < range.size() && !parse_number(step)))
    return wrong("expected a range of numbers", kShort);
  if (*min > *max) return wrong("the smaller end comes first", kShort);
  Node out = Node::mapping();
  if (!log && colon == range.size() && parse_integer(first) && parse_integer(last)) {
    const auto numbers = integers_of(range);
    if (!numbers) {
      return wrong("more than 100000 values",
                   fmt::format("{{min: {}, max: {}}} draws from them", first, last));
    }
    out = Node::sequence({});
    for (const int64_t number : *numbers) {
      out.children.push_back(Node::plain(std::to_string(number)));
      out.children.back().location = text.location;
    }
  } else {
    set_number(out, "min", first, text);
    set_number(out, "max", last, text);
    if (log) set_number(out, "log", "true", text);
    if (!step.empty()) set_number(out, "step", step, text);
  }
  out.location = text.location;
  out.key = text.key;
  out.key_location = text.key_location;
  return out;
}

std::optional<Range> read_range(const Node& node, const std::string& path, const FieldType& type,
                                Problems& problems) {
  const size_t before = problems.size();
  if (const Node* given = node.find("distribution")) refuse_distribution(*given, path, problems);
  for (const Node& child : node.children) {
    if (child.refers.empty()) continue;
    problems.add(child.location,
                 fmt::format("{}.{}: {}: the ends of a range are the same for all trials", path,
                             child.key, child.shown()),
                 kShared);
  }
  if (problems.size() > before) return std::nullopt;
  Range out;
  read_fields(fields_of(out), node, path, problems, {"distribution"});
  for (const char* end : {"min", "max"}) {
    if (node.find(end)) continue;
    problems.add(node.location, fmt::format("{}: a range needs {}", path, end),
                 "written as {min: 0.001, max: 0.1}");
  }
  if (problems.size() > before) return std::nullopt;
  out.has_whole_ends =
      std::all_of(node.children.begin(), node.children.end(), [](const Node& child) {
        return child.key == "log" || child.kind != Node::Kind::kScalar ||
               (parse_integer(child.scalar) && is_whole_number(parse_number(child.scalar)));
      });
  out.place = node.find("min")->location;
  out.place_of_max = node.find("max")->location;
  check_range(out, node, path, problems);
  check_type(out, node, path, type, problems);
  return problems.size() > before ? std::nullopt : std::optional(out);
}

}  // namespace vitrine

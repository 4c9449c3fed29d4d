#include "framework/training/target.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "framework/config/scalar.h"

namespace vitrine {
namespace {

constexpr const char* kSpelling = "written as label, {above: 5} or {one_of: [2, 3, 5, 7]}";

std::string in_words(const Target& target) {
  const char* relation = target.kind == Target::Kind::kAbove ? "above" : "one of";
  return fmt::format("{} {}", relation, fmt::join(target.classes, ", "));
}

// The class numbers under `above` or `one_of`; empty where they are not what they must be.
std::vector<int64_t> read_classes(const Node& node, bool is_list) {
  if (is_list != (node.kind == Node::Kind::kSequence)) return {};
  const std::vector<Node> items = is_list ? node.children : std::vector<Node>{node};
  std::vector<int64_t> out;
  for (const Node& item : items) {
    const bool plain = item.kind == Node::Kind::kScalar && !item.quoted;
    const auto number = plain ? parse_integer(item.scalar) : std::nullopt;
    if (!number) return {};
    out.push_back(*number);
  }
  return out;
}

}  // namespace

int64_t Target::of_label(int64_t label) const {
  if (kind == Kind::kLabel) return label;
  if (kind == Kind::kAbove) return label > classes.at(0) ? 1 : 0;
  return std::count(classes.begin(), classes.end(), label) > 0 ? 1 : 0;
}

std::vector<int64_t> Target::of_labels(int64_t n_labels) const {
  std::vector<int64_t> out;
  for (int64_t label = 0; label < n_labels; ++label) out.push_back(of_label(label));
  return out;
}

std::vector<std::string> Target::class_names(const std::vector<std::string>& names) const {
  if (kind == Kind::kLabel) return names;
  const std::string yes = in_words(*this);
  if (kind == Kind::kAbove) return {"not " + yes, yes};
  return {fmt::format("none of {}", fmt::join(classes, ", ")), yes};
}

void Target::check_against(int64_t n_labels, const char* field, Check& check) const {
  if (kind == Kind::kLabel || n_labels < 1) return;
  const auto numbered = fmt::format("the classes are numbered 0 to {}", n_labels - 1);
  for (const int64_t number : classes) {
    if (kind == Kind::kOneOf && (number < 0 || number >= n_labels)) {
      return check.error({field}, fmt::format("there is no class {}: {}", number, numbered));
    }
  }
  const std::vector<int64_t> targets = of_labels(n_labels);
  const int64_t met = std::accumulate(targets.begin(), targets.end(), int64_t{0});
  if (met > 0 && met < n_labels) return;
  check.error({field}, fmt::format("\"{}\" {}: {}", in_words(*this),
                                   met == 0 ? "can never happen" : "always holds", numbered));
}

void Target::read(const Node& node, const std::string& path, Problems& problems) {
  if (node.kind == Node::Kind::kScalar && node.scalar == "label") {
    *this = Target();
    return;
  }
  if (node.is_mapping() && node.children.size() == 1) {
    const Node& child = node.children[0];
    const bool is_list = child.key == "one_of";
    Target target{is_list ? Kind::kOneOf : Kind::kAbove, read_classes(child, is_list)};
    if ((is_list || child.key == "above") && !target.classes.empty()) {
      *this = std::move(target);
      return;
    }
  }
  problems.add(node.location, fmt::format("{}: expected a target, got {}", path, node.shown()),
               kSpelling);
}

Node Target::write() const {
  if (kind == Kind::kLabel) return Node::string("label");
  Node out = Node::mapping();
  std::vector<Node> numbers;
  for (const int64_t number : classes) numbers.push_back(Node::plain(std::to_string(number)));
  if (kind == Kind::kAbove) out.set("above", numbers.at(0));
  if (kind == Kind::kOneOf) out.set("one_of", Node::sequence(numbers));
  return out;
}

nlohmann::ordered_json Target::schema() {
  using Json = nlohmann::ordered_json;
  const auto one_key = [](const char* key, Json value) {
    return Json{{"type", "object"},
                {"properties", {{key, std::move(value)}}},
                {"required", Json::array({key})},
                {"additionalProperties", false}};
  };
  const Json number = {{"type", "integer"}};
  const Json numbers = {{"type", "array"}, {"items", number}, {"minItems", 1}};
  return {
      {"anyOf",
       Json::array({{{"const", "label"}}, one_key("above", number), one_key("one_of", numbers)})}};
}

}  // namespace vitrine

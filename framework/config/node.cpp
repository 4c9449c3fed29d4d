#include "framework/config/node.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "framework/config/scalar.h"
#include "framework/error.h"

namespace vitrine {

size_t count_letters(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

size_t byte_of_letter(std::string_view text, size_t n) {
  size_t i = 0;
  for (; i < text.size(); ++i) {
    if ((text[i] & 0xC0) != 0x80 && n-- == 0) break;
  }
  return i;
}

std::string Location::text() const {
  if (!source) return "a default";
  const bool inside = static_cast<size_t>(line) < source->lines.size();
  const std::string_view before =
      inside ? source->lines[static_cast<size_t>(line)] : std::string_view();
  const size_t letters = count_letters(before.substr(0, static_cast<size_t>(column)));
  return fmt::format("{}:{}:{}", escape(source->name), line + 1, inside ? letters + 1 : 1);
}

std::string Location::line_text() const {
  if (!source) return "a default";
  return source->name == "command line" ? source->name
                                        : fmt::format("{}:{}", escape(source->name), line + 1);
}

std::string written_text(const Node& scalar) {
  if (!scalar.refers.empty()) return scalar.refers;
  std::string out = scalar.scalar;
  for (size_t at = 0; (at = out.find("${", at)) != out.npos; at += 3) out.insert(at, 1, '$');
  return out;
}

Node Node::null() { return Node(); }

Node Node::plain(std::string text) {
  Node node;
  node.kind = Kind::kScalar;
  node.scalar = std::move(text);
  return node;
}

Node Node::string(std::string text) {
  Node node = plain(std::move(text));
  node.quoted = true;
  return node;
}

Node Node::sequence(std::vector<Node> items) {
  Node node;
  node.kind = Kind::kSequence;
  node.children = std::move(items);
  return node;
}

Node Node::mapping() {
  Node node;
  node.kind = Kind::kMapping;
  return node;
}

const Node* Node::find(std::string_view wanted) const {
  if (kind != Kind::kMapping) return nullptr;
  for (const Node& child : children) {
    if (child.key == wanted) return &child;
  }
  return nullptr;
}

Node* Node::find(std::string_view wanted) {
  return const_cast<Node*>(static_cast<const Node*>(this)->find(wanted));
}

const Node* Node::at_path(std::string_view dotted) const {
  const Node* node = this;
  while (node && !dotted.empty()) {
    const size_t dot = std::min(dotted.find('.'), dotted.size());
    const std::string_view part = dotted.substr(0, dot);
    if (node->kind == Kind::kSequence) {
      const auto index = parse_integer(part);
      const bool inside =
          index && *index >= 0 && static_cast<size_t>(*index) < node->children.size();
      node = inside ? &node->children[static_cast<size_t>(*index)] : nullptr;
    } else {
      node = node->find(part);
    }
    dotted.remove_prefix(std::min(dot + 1, dotted.size()));
  }
  return node;
}

Node& Node::set(const std::string& name, Node value) {
  value.key = name;
  if (Node* old = find(name)) return *old = std::move(value);
  children.push_back(std::move(value));
  return children.back();
}

bool Node::erase(std::string_view name) {
  if (kind != Kind::kMapping) return false;
  const auto is_it = [&](const Node& child) { return child.key == name; };
  return std::erase_if(children, is_it) + std::erase_if(under_default_type, is_it) > 0;
}

std::string Node::shown() const {
  switch (kind) {
    case Kind::kNull:
      return "nothing";
    case Kind::kSequence:
      return "a list";
    case Kind::kMapping:
      return "a mapping";
    case Kind::kScalar:
      break;
  }
  const bool is_long = count_letters(scalar) > 60;
  const std::string text =
      escape(is_long ? scalar.substr(0, byte_of_letter(scalar, 57)) + "..." : scalar);
  const bool bare = !quoted && (parse_number(scalar) || parse_bool(scalar));
  return bare ? text : '"' + text + '"';
}

nlohmann::ordered_json Node::json() const {
  using Json = nlohmann::ordered_json;
  if (kind == Kind::kNull) return nullptr;
  if (kind == Kind::kSequence) {
    Json out = Json::array();
    for (const Node& child : children) out.push_back(child.json());
    return out;
  }
  if (kind == Kind::kMapping) {
    Json out = Json::object();
    for (const Node& child : children) out[child.key] = child.json();
    return out;
  }
  if (!quoted) {
    if (const auto value = parse_bool(scalar)) return *value;
    if (const auto value = parse_integer(scalar)) return *value;
    if (const auto value = parse_number(scalar); value && std::isfinite(*value)) return *value;
  }
  return scalar;
}

Node Node::from_json(const nlohmann::ordered_json& value) {
  if (value.is_null()) return null();
  if (value.is_string()) return string(value.get<std::string>());
  if (value.is_number_float()) return plain(number_text(value.get<double>()));
  if (value.is_primitive()) return plain(value.dump());
  Node out = value.is_array() ? sequence({}) : mapping();
  for (const auto& item : value.items()) {
    out.children.push_back(from_json(item.value()));
    if (value.is_object()) out.children.back().key = item.key();
  }
  return out;
}

}  // namespace vitrine

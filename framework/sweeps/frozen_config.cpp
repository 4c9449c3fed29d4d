#include "framework/sweeps/frozen_config.h"

#include <algorithm>
#include <map>
#include <memory>

#include "framework/config/fields.h"
#include "framework/config/references.h"
#include "framework/runs/object_reader.h"

namespace vitrine {

using Json = nlohmann::ordered_json;

namespace {

// No key of a config.
constexpr const char* kUnderDefaultType = "under the default type";

bool have_same_keys(const Node& a, const Node& b) {
  return a.is_mapping() && b.is_mapping() &&
         std::equal(a.children.begin(), a.children.end(), b.children.begin(), b.children.end(),
                    [](const Node& x, const Node& y) { return x.key == y.key; });
}

void add_differences(const Node& base, const Node& config, const std::string& path, Json& out) {
  if (!have_same_keys(base, config)) {
    if (base.json() != config.json()) out[path] = config.json();
    return;
  }
  for (size_t i = 0; i < base.children.size(); ++i) {
    const Node& child = config.children[i];
    add_differences(base.children[i], child, join_path(path, child.key), out);
  }
}

// Where each value stands, by its path: {"optimizer.lr": ["a.yaml", 3, 15]}.
void add_places(const Node& node, const std::string& path, Json& out) {
  if (node.children.empty() && node.location) {
    const Location& place = node.location;
    out[path] = {place.source->name, place.line, place.column};
  }
  for (size_t i = 0; i < node.children.size(); ++i) {
    const Node& child = node.children[i];
    add_places(child, join_path(path, node.is_mapping() ? child.key : std::to_string(i)), out);
  }
}

// The lines themselves may be others by now.
void take_places(Node& config, const Json& places) {
  std::map<std::string, std::shared_ptr<const Source>> sources;
  for (const auto& [path, place] : places.items()) {
    Node* node = const_cast<Node*>(config.at_path(path));
    const bool is_place = place.is_array() && place.size() == 3 && place[0].is_string() &&
                          place[1].is_number_unsigned() && place[2].is_number_unsigned();
    if (!node || !is_place) continue;
    const auto name = place[0].get<std::string>();
    auto& source = sources[name];
    if (!source) source = std::make_shared<const Source>(Source{name, {}});
    node->location = {source, place[1].get<int>(), place[2].get<int>()};
  }
}

}  // namespace

Json frozen(const Node& node) {
  if (node.kind == Node::Kind::kScalar) {
    // As a file has it, where "${" may refer to another key.
    return node.scalar.find("${") == std::string::npos ? node.json() : Json(written_text(node));
  }
  Json out = node.is_mapping() ? Json::object() : node.json();
  if (node.kind == Node::Kind::kSequence) {
    for (size_t i = 0; i < node.children.size(); ++i) out[i] = frozen(node.children[i]);
  }
  if (!node.is_mapping()) return out;
  const auto key = [](const Node& child) { return child.key + (child.appends ? "+" : ""); };
  for (const Node& child : node.children) out[key(child)] = frozen(child);
  for (const Node& child : node.under_default_type)
    out[kUnderDefaultType][key(child)] = frozen(child);
  return out;
}

Json differences(const Node& base, const Node& config) {
  Json out = Json::object();
  add_differences(base, config, "", out);
  return out;
}

Node with_differences(Node base, const Json& differences) {
  for (const auto& [path, value] : differences.items()) {
    Node* node = const_cast<Node*>(base.at_path(path));
    if (!node) continue;
    const std::string key = node->key;
    *node = Node::from_json(value);
    node->key = key;
  }
  return base;
}

Node thawed(const Json& value) {
  Node out = value.is_object() ? Node::mapping() : Node::from_json(value);
  if (value.is_array()) {
    for (size_t i = 0; i < value.size(); ++i) out.children[i] = thawed(value[i]);
  }
  note_references(out);
  if (!value.is_object()) return out;
  for (const auto& [key, inner] : value.items()) {
    if (key == kUnderDefaultType) {
      out.under_default_type = thawed(inner).children;
    } else {
      out.set(key, thawed(inner));
    }
  }
  return out;
}

Json frozen_json(const BaseConfig& config) {
  Json places = Json::object();
  add_places(config.written, "", places);
  return {{"file", config.file}, {"written", frozen(config.written)}, {"places", places}};
}

BaseConfig thawed_config(const Json& value, const std::string& where) {
  ObjectReader reader(value, where);
  BaseConfig out = {reader.string("file"), thawed(reader.object("written"))};
  take_appended(out.written);
  if (reader.has("places")) take_places(out.written, reader.object("places"));
  reader.no_rest();
  return out;
}

}  // namespace vitrine

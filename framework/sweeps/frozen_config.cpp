#include "framework/sweeps/frozen_config.h"

#include <algorithm>

#include "framework/config/fields.h"
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

Json frozen(const Node& node) {
  if (!node.is_mapping()) return node.json();
  Json out = Json::object();
  for (const Node& child : node.children) out[child.key] = frozen(child);
  for (const Node& child : node.under_default_type) out[kUnderDefaultType][child.key] = frozen(child);
  return out;
}

Node thawed(const Json& value) {
  if (!value.is_object()) return Node::from_json(value);
  Node out = Node::mapping();
  for (const auto& [key, inner] : value.items()) {
    if (key == kUnderDefaultType) {
      out.under_default_type = thawed(inner).children;
    } else {
      out.set(key, thawed(inner));
    }
  }
  return out;
}

}  // namespace

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

Json frozen_json(const BaseConfig& config) {
  return {{"file", config.file}, {"written", frozen(config.written)}};
}

BaseConfig thawed_config(const Json& value, const std::string& where) {
  ObjectReader reader(value, where);
  BaseConfig out = {reader.string("file"), thawed(reader.object("written"))};
  reader.no_rest();
  return out;
}

}  // namespace vitrine

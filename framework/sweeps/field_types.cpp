#include "framework/sweeps/field_types.h"

#include <algorithm>

#include "framework/config/scalar.h"

namespace vitrine {

using Json = nlohmann::ordered_json;

namespace {

std::vector<std::string> parts_of(const std::string& path) {
  std::vector<std::string> out;
  for (size_t begin = 0; begin < path.size();) {
    const size_t dot = std::min(path.find('.', begin), path.size());
    out.push_back(path.substr(begin, dot - begin));
    begin = dot + 1;
  }
  return out;
}

bool is_component(const Json& schema, const std::string& name) {
  const auto properties = schema.find("properties");
  if (properties == schema.end()) return false;
  const auto type = properties->find("type");
  return type != properties->end() && type->value("const", "") == name;
}

// The component that is chosen there; empty where none is.
std::string chosen(const Node& node) {
  const Node* type = node.kind == Node::Kind::kScalar ? &node : node.find("type");
  return type && type->kind == Node::Kind::kScalar ? type->scalar : "";
}

}  // namespace

bool FieldType::takes(const char* type) const {
  return std::any_of(alternatives_.begin(), alternatives_.end(), [&](const Schema* schema) {
    const auto given = schema->find("type");
    if (given == schema->end()) return schema->contains("enum") && std::string(type) == "string";
    return given->is_array() ? std::find(given->begin(), given->end(), type) != given->end()
                             : *given == type;
  });
}

void FieldType::add(const Schema& schema) {
  const auto any = schema.find("anyOf");
  if (any == schema.end()) return alternatives_.push_back(&schema);
  for (const Schema& alternative : *any) add(alternative);
}

FieldType FieldType::below(const std::string& key) const {
  FieldType out;
  for (const Schema* schema : alternatives_) {
    if (const auto items = schema->find("items"); items != schema->end() && parse_integer(key))
      out.add(*items);
    const auto properties = schema->find("properties");
    if (properties == schema->end()) continue;
    if (const auto property = properties->find(key); property != properties->end())
      out.add(*property);
  }
  return out;
}

FieldType FieldType::of_component(const std::string& name) const {
  FieldType out;
  for (const Schema* schema : alternatives_) {
    if (is_component(*schema, name)) out.alternatives_.push_back(schema);
  }
  return out.is_known() ? out : *this;
}

FieldTypes::FieldTypes(Json schema) : schema_(std::make_shared<const Json>(std::move(schema))) {}

FieldType FieldTypes::root() const {
  FieldType out;
  if (schema_) out.add(*schema_);
  return out;
}

FieldType FieldTypes::at(const std::string& path) const {
  FieldType out = root();
  for (const std::string& part : parts_of(path)) out = out.below(part);
  return out;
}

FieldType FieldTypes::at(const Node& config, const std::string& path) const {
  FieldType out = root();
  const Node* node = &config;
  for (const std::string& part : parts_of(path)) {
    if (node) out = out.of_component(chosen(*node));
    out = out.below(part);
    node = node ? node->at_path(part) : nullptr;
  }
  return out;
}

}  // namespace vitrine

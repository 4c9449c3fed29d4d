#include "framework/config/editor_schema.h"

#include <string>
#include <vector>

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;

const Json& reference() {
  static const Json out = {{"$ref", "#/$defs/reference"}};
  return out;
}

// `schema` and each of its alternatives.
std::vector<Json> alternatives_of(const Json& schema) {
  const auto any = schema.find("anyOf");
  if (any == schema.end()) return {schema};
  std::vector<Json> out;
  for (const Json& one : *any) {
    for (Json& inner : alternatives_of(one)) out.push_back(std::move(inner));
  }
  return out;
}

// {"0": {...}} changes an item of the list that a base has.
Json items_by_number(const Json& list) {
  return {{"type", "object"},
          {"minProperties", 1},
          {"patternProperties", {{"^[0-9]+$", list.at("items")}}},
          {"additionalProperties", false}};
}

void extend(Json& schema);

// What a key takes in a file. `more`: what the key with a "+" takes; null where it takes no list.
Json extended(Json value, Json& more) {
  if (value.contains("const")) return value;
  Json words = Json::object();
  for (const char* word : {"description", "default"}) {
    if (const auto found = value.find(word); found != value.end()) words[word] = *found;
    value.erase(word);
  }
  extend(value);
  Json any = Json::array({value, reference()});
  for (const Json& one : alternatives_of(value)) {
    if (one.value("type", Json()) != "array" || !one.contains("items")) continue;
    any.push_back(items_by_number(one));
    if (one.contains("maxItems")) continue;
    more = {{"anyOf", Json::array({one, one.at("items")})}};
    if (words.contains("description"))
      more["description"] = "behind the base's: " + words["description"].get<std::string>();
  }
  Json out = {{"anyOf", std::move(any)}};
  out.update(words);
  return out;
}

void extend(Json& schema) {
  for (const char* key : {"anyOf", "items"}) {
    const auto found = schema.find(key);
    if (found == schema.end()) continue;
    if (found->is_array()) {
      for (Json& one : *found) extend(one);
    } else {
      extend(*found);
      *found = {{"anyOf", Json::array({*found, reference()})}};
    }
  }
  const auto properties = schema.find("properties");
  if (properties == schema.end()) return;
  Json out = Json::object();
  for (const auto& [name, value] : properties->items()) {
    Json more;
    out[name] = extended(value, more);
    if (!more.is_null()) out[name + "+"] = std::move(more);
  }
  *properties = std::move(out);
}

Json strings(const std::string& description) {
  const Json one = {{"type", "string"}};
  return {{"anyOf", Json::array({one, {{"type", "array"}, {"items", one}}})},
          {"description", description}};
}

}  // namespace

Json editor_schema(Json schema) {
  extend(schema);
  schema["properties"]["base"] = strings("config, or list of configs, to inherit from");
  schema["properties"]["unset"] = strings(
      "keys, such as model.mlp, that are taken back to their defaults, whatever a base says");
  schema["$defs"]["reference"] = {
      {"type", "string"},
      {"pattern", R"(\$\{[^{}]+\})"},
      {"description",
       "the value of another key, ${model.hidden_d}, or of a variable, ${env:HOME}"}};
  return schema;
}

}  // namespace vitrine

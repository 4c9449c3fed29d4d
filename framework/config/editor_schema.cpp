#include "framework/config/editor_schema.h"

#include <cctype>
#include <string>
#include <unordered_map>
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

// Schemas that stand in several places, written once: components are told under every key that
// takes them, and editors and validators are slow with what is long.
class Definitions {
 public:
  explicit Definitions(const Json& schema) { count(schema); }

  // Replaces what stands in several places in `value`.
  void move_out(Json& value, const std::string& name) {
    if (!value.is_structured()) return;
    for (auto it = value.begin(); it != value.end(); ++it) {
      // What lies below a number or a list of alternatives is called by the key above.
      const bool is_key = value.is_object() && !it.key().starts_with("anyOf") &&
                          it.key() != "items" && it.key() != "properties";
      const std::string called = is_key ? it.key() : name;
      const std::string text = it->is_object() ? it->dump() : "";
      if (text.size() < kLeast || counts_[text] < 2) {
        move_out(*it, called);
        continue;
      }
      const auto known = names_.find(text);
      const std::string definition =
          known != names_.end() ? known->second : define(text, *it, called);
      *it = {{"$ref", "#/$defs/" + definition}};
    }
  }
  const Json& all() const { return all_; }

 private:
  static constexpr size_t kLeast = 200;  // letters; what is shorter says more where it stands

  void count(const Json& value) {
    if (!value.is_structured()) return;
    if (value.is_object()) {
      std::string text = value.dump();
      if (text.size() >= kLeast && ++counts_[std::move(text)] > 1) return;  // counted all below it
    }
    for (const Json& inner : value) count(inner);
  }

  std::string define(const std::string& text, Json value, const std::string& called) {
    std::string plain;
    for (const char letter : called) {
      const bool is_plain = std::isalnum(static_cast<unsigned char>(letter)) || letter == '_';
      if (is_plain) plain += letter;
    }
    std::string name = plain;
    for (int number = 2; all_.contains(name); ++number) name = plain + "_" + std::to_string(number);
    names_[text] = name;
    all_[name] = nullptr;  // it is taken
    move_out(value, called);
    all_[name] = std::move(value);
    return name;
  }

  std::unordered_map<std::string, int> counts_;
  std::unordered_map<std::string, std::string> names_;
  Json all_ = {{"reference", nullptr}};
};

}  // namespace

Json editor_schema(Json schema) {
  extend(schema);
  schema["properties"]["base"] = strings("config, or list of configs, to inherit from");
  schema["properties"]["unset"] = strings(
      "keys, such as model.mlp, that are taken back to their defaults, whatever a base says");
  Definitions definitions(schema);
  definitions.move_out(schema["properties"], "value");
  schema["$defs"] = definitions.all();
  schema["$defs"]["reference"] = {
      {"type", "string"},
      {"pattern", R"(\$\{[^{}]+\})"},
      {"description",
       "the value of another key, ${model.hidden_d}, or of a variable, ${env:HOME}"}};
  return schema;
}

}  // namespace vitrine

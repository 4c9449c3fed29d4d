#include "framework/cli/config_words.h"

#include <algorithm>
#include <set>
#include <utility>

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;

// A part of the schema, with what the config has at its place; null where it has nothing.
struct Part {
  const Json* schema;
  const Node* written;
};

std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

// `schema` itself, or what it may be.
void add_alternatives(const Json& schema, std::vector<const Json*>& out) {
  const auto any = schema.find("anyOf");
  if (any == schema.end()) {
    out.push_back(&schema);
    return;
  }
  for (const Json& one : *any) add_alternatives(one, out);
}

std::vector<const Json*> alternatives_of(const Json& schema) {
  std::vector<const Json*> out;
  add_alternatives(schema, out);
  return out;
}

// The component that an alternative stands for; empty where it is none.
std::string component_of(const Json& alternative) {
  const auto name = alternative.find("properties");
  if (name == alternative.end()) return "";
  const auto type = name->find("type");
  return type == name->end() ? "" : text_of(*type, "const");
}

// The component that is chosen at a place; empty where nothing tells.
std::string chosen_at(const Part& part) {
  const Node* written = part.written;
  if (written && written->is_mapping()) written = written->find("type");
  if (written && written->kind == Node::Kind::kScalar) return written->scalar;
  const auto usual = part.schema->find("default");
  if (usual == part.schema->end()) return "";
  return usual->is_string() ? usual->get<std::string>()
                            : (usual->is_object() ? text_of(*usual, "type") : "");
}

// The mappings that may stand at a place: of several components the one that is chosen, if it is
// known.
std::vector<const Json*> mappings_at(const Part& part) {
  std::vector<const Json*> all, chosen;
  const std::string name = chosen_at(part);
  for (const Json* one : alternatives_of(*part.schema)) {
    if (!one->contains("properties")) continue;
    all.push_back(one);
    if (!name.empty() && component_of(*one) == name) chosen.push_back(one);
  }
  return chosen.empty() ? all : chosen;
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

// What may stand at `key` of a place, which is the number of an item in a list.
std::vector<Part> children_of(const Part& part, const std::string& key) {
  std::vector<Part> out;
  const Node* written = nullptr;
  if (part.written) {
    const bool has_items = part.written->kind == Node::Kind::kSequence;
    written = has_items || part.written->is_mapping() ? part.written->at_path(key) : nullptr;
  }
  for (const Json* one : mappings_at(part)) {
    const auto found = one->at("properties").find(key);
    if (found != one->at("properties").end()) out.push_back({&*found, written});
  }
  if (!is_number(key)) return out;
  for (const Json* one : alternatives_of(*part.schema)) {
    const auto items = one->find("items");
    if (items != one->end()) out.push_back({&*items, written});
  }
  return out;
}

std::vector<Part> parts_at(const Json& schema, const Node& config, std::string_view path) {
  std::vector<Part> parts = {{&schema, &config}};
  while (!path.empty()) {
    const size_t end = std::min(path.find('.'), path.size());
    const std::string key(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
    std::vector<Part> below;
    for (const Part& part : parts) {
      for (const Part& child : children_of(part, key)) below.push_back(child);
    }
    parts = std::move(below);
  }
  return parts;
}

bool takes_value(const Json& schema) {
  const auto all = alternatives_of(schema);
  return std::any_of(all.begin(), all.end(),
                     [](const Json* one) { return !one->contains("properties"); });
}

// A component's name is its key's value, so that `type` is no key to offer.
bool has_keys(const Part& part) {
  for (const Json* one : mappings_at(part)) {
    for (const auto& [key, value] : one->at("properties").items()) {
      if (key != "type") return true;
    }
  }
  return false;
}

// Adds each word once.
class Candidates {
 public:
  explicit Candidates(std::string begun) : begun_(std::move(begun)) {}
  void leave_out(const std::string& word) { seen_.insert(word); }
  void add(const std::string& word, const std::string& help) {
    if (word.starts_with(begun_) && seen_.insert(word).second) out_.push_back({word, help});
  }
  std::vector<Candidate> take() { return std::move(out_); }

 private:
  std::string begun_;
  std::set<std::string> seen_;
  std::vector<Candidate> out_;
};

// What one value may be, between `before` and `behind`.
void add_values(const Json& schema, const std::string& before, const std::string& behind,
                Candidates& out) {
  const auto all = alternatives_of(schema);
  const auto add = [&](const Json& value) {
    const std::string word = value.is_string() ? value.get<std::string>() : value.dump();
    std::string help;
    for (const Json* one : all) {
      if (component_of(*one) == word) help = text_of(*one, "description");
    }
    out.add(before + word + behind, help);
  };
  for (const Json* one : all) {
    const std::string type = text_of(*one, "type");
    if (const auto words = one->find("enum"); words != one->end()) {
      for (const Json& word : *words) add(word);
    } else if (const auto word = one->find("const"); word != one->end()) {
      add(*word);
    } else if (type == "boolean") {
      add(true);
      add(false);
    } else if (type == "null") {
      add(nullptr);
    }
  }
}

void add_items(const Json& schema, const std::string& before, const std::string& behind,
               Candidates& out) {
  for (const Json* one : alternatives_of(schema)) {
    if (const auto items = one->find("items"); items != one->end())
      add_values(*items, before, behind, out);
  }
}

}  // namespace

std::vector<Candidate> complete_key(const Json& schema, const Node& config, const std::string& word,
                                    std::string_view ending) {
  const size_t dot = word.rfind('.');
  const std::string above = dot == word.npos ? "" : word.substr(0, dot);
  const std::string before = dot == word.npos ? "" : word.substr(0, dot + 1);
  Candidates out(word);
  for (const Part& part : parts_at(schema, config, above)) {
    for (const Json* one : mappings_at(part)) {
      for (const auto& [key, value] : one->at("properties").items()) {
        if (key == "type") continue;
        const Node* written =
            part.written && part.written->is_mapping() ? part.written->find(key) : nullptr;
        const std::string help = text_of(value, "description");
        if (takes_value(value)) out.add(before + key + std::string(ending), help);
        if (has_keys({&value, written})) out.add(before + key + ".", help);
      }
    }
  }
  return out.take();
}

std::vector<Candidate> complete_value(const Json& schema, const Node& config,
                                      const std::string& word, bool sweeps) {
  const size_t equals = word.find('=');
  std::string key = word.substr(0, equals);
  const bool appends = key.ends_with('+');
  if (appends) key.pop_back();
  if (key.ends_with(".type")) key.resize(key.size() - 5);  // model.type=vit is model=vit
  const bool is_list = word.compare(equals + 1, 1, "[") == 0;
  const bool parts = sweeps || is_list || appends;
  const size_t last = parts ? word.find_last_of(is_list ? ",[ " : ",") : word.npos;
  const std::string before = word.substr(0, (last == word.npos ? equals : last) + 1);
  Candidates out(word);
  // What stands there already is not wanted again.
  for (size_t begin = equals + 1 + (is_list ? 1 : 0); begin < before.size();) {
    const size_t end = before.find(',', begin);
    out.leave_out(before + before.substr(begin, end - begin) + (is_list ? "]" : ""));
    begin = end == before.npos ? end : end + 1;
  }
  for (const Part& part : parts_at(schema, config, key)) {
    if (!is_list && !appends) add_values(*part.schema, before, "", out);
    if (is_list || appends) add_items(*part.schema, before, is_list ? "]" : "", out);
    if (word.size() == equals + 1 && !appends) add_items(*part.schema, before + "[", "]", out);
  }
  return out.take();
}

}  // namespace vitrine

#include "framework/config/references.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <utility>

#include "framework/config/fields.h"
#include "framework/config/hints.h"
#include "framework/config/scalar.h"
#include "framework/error.h"

namespace vitrine {
namespace {

constexpr std::string_view kEnvironment = "env:";
constexpr size_t kMostNested = 64;        // references that lead to each other
constexpr size_t kMostValues = 100'000;   // that references repeat, as of the anchors of a file
constexpr size_t kMostLetters = 1 << 20;  // of all texts together
constexpr const char* kLiteral = "a literal \"${\" is written \"$${\"";

// "run-${seed}" as the text "run-" and the reference "seed".
struct TextPart {
  std::string text;
  bool is_reference = false;

  bool is_environment() const { return is_reference && text.starts_with(kEnvironment); }
};

struct ParsedText {
  std::vector<TextPart> parts;
  std::string wrong;  // why it is none; empty where it is

  bool refers() const {
    return std::any_of(parts.begin(), parts.end(), [](auto& part) { return part.is_reference; });
  }
};

ParsedText parse_text(const std::string& text) {
  ParsedText out;
  const auto add_letters = [&](std::string_view letters) {
    if (out.parts.empty() || out.parts.back().is_reference) out.parts.emplace_back();
    out.parts.back().text += letters;
  };
  for (size_t i = 0; i < text.size();) {
    const std::string_view rest = std::string_view(text).substr(i);
    if (rest.starts_with("$${")) {
      add_letters("${");
      i += 3;
    } else if (!rest.starts_with("${")) {
      add_letters(rest.substr(0, 1));
      ++i;
    } else {
      const size_t end = rest.find('}');
      const std::string name(rest.substr(2, std::min(end, rest.size()) - 2));
      if (end == rest.npos) out.wrong = "\"${\" is not closed";
      if (name.find_first_of("{$ ") != name.npos || name.empty())
        out.wrong = "\"${\" and \"}\" enclose one key, or env: and the name of a variable";
      out.parts.push_back({name, true});
      i += std::min(end, rest.size() - 1) + 1;
    }
  }
  return out;
}

bool is_variable_name(const std::string& name) {
  const auto is_letter = [](unsigned char c) { return std::isalnum(c) || c == '_'; };
  return !name.empty() && !std::isdigit(static_cast<unsigned char>(name[0])) &&
         std::all_of(name.begin(), name.end(), is_letter);
}

std::string value_of_variable(const std::string& name, const Node& node, const std::string& path) {
  const std::string where = path.empty() ? "" : escape(path) + ": ";
  if (!is_variable_name(name)) {
    refuse(node.location,
           fmt::format("{}\"{}\" is no name of an environment variable", where, escape(name)),
           "such as ${env:HOME}");
  }
  const char* value = std::getenv(name.c_str());
  if (!value)
    refuse(node.location, fmt::format("{}the environment variable {} is not set", where, name));
  if (!is_utf8(value))
    refuse(node.location, fmt::format("{}the environment variable {} is no UTF-8", where, name));
  return value;
}

// `value` in the place of `node`.
Node in_place_of(const Node& node, Node value) {
  value.key = node.key;
  value.key_location = node.key_location;
  value.location = node.location;
  value.from = node.from.empty() ? node.refers : node.from;
  return value;
}

Node text_with_variables(const Node& node, const std::string& path) {
  ParsedText parsed = parse_text(node.refers);
  if (!parsed.wrong.empty())
    refuse(node.location, (path.empty() ? "" : escape(path) + ": ") + parsed.wrong, kLiteral);
  const auto is_variable = [](const TextPart& part) { return part.is_environment(); };
  if (std::none_of(parsed.parts.begin(), parsed.parts.end(), is_variable)) return node;
  for (TextPart& part : parsed.parts) {
    if (part.is_environment())
      part = {value_of_variable(part.text.substr(kEnvironment.size()), node, path), false};
  }
  if (parsed.parts.size() == 1) return in_place_of(node, Node::plain(parsed.parts[0].text));
  Node out = in_place_of(node, Node::string(""));
  for (const TextPart& part : parsed.parts) {
    out.scalar += part.text;
    out.refers +=
        part.is_reference ? "${" + part.text + "}" : written_text(Node::string(part.text));
  }
  if (parsed.refers()) {
    out.scalar = out.refers;
  } else {
    out.refers.clear();
  }
  return out;
}

void put_variables(Node& node, const std::string& path) {
  if (!node.refers.empty()) node = text_with_variables(node, path);
  const auto put_in = [&](std::vector<Node>& children, bool keyed) {
    for (size_t i = 0; i < children.size(); ++i)
      put_variables(children[i], join_path(path, keyed ? children[i].key : std::to_string(i)));
  };
  put_in(node.children, node.is_mapping());
  put_in(node.under_default_type, true);
}

bool has_references(const Node& node) {
  const auto has = [](const Node& child) { return has_references(child); };
  return !node.refers.empty() || std::any_of(node.children.begin(), node.children.end(), has) ||
         std::any_of(node.under_default_type.begin(), node.under_default_type.end(), has);
}

size_t count_values(const Node& node) {
  size_t out = 1;
  for (const Node& child : node.children) out += count_values(child);
  return out;
}

// Finds the values that texts refer to.
class Resolver {
 public:
  // `completed`: the config with every default; none while these are not known.
  Resolver(const Node& config, const Node* completed, const KnownKeys* known, Problems& problems)
      : config_(config), completed_(completed), known_(known), problems_(problems) {}

  Node run() { return copy(config_, ""); }

 private:
  bool is_last() const { return known_ != nullptr; }

  // What cannot be resolved is left out, or stays until defaults are known.
  Node copy(const Node& node, const std::string& path) {
    Node out = node;
    const auto take = [&](const std::vector<Node>& from, std::vector<Node>& to, bool keyed) {
      to.clear();
      for (size_t i = 0; i < from.size(); ++i) {
        const Node& child = from[i];
        const std::string name = join_path(path, keyed ? child.key : std::to_string(i));
        std::optional<Node> value =
            child.refers.empty() ? copy(child, name) : evaluated(child, name);
        if (!value && !is_last()) value = child;
        if (value) to.push_back(std::move(*value));
      }
    };
    take(node.children, out.children, node.is_mapping());
    take(node.under_default_type, out.under_default_type, true);
    return out;
  }

  void wrong(const Node& node, const std::string& path, const std::string& message,
             const std::string& hint = "") {
    problems_.add(node.location, escape(path) + ": " + message, hint);
  }

  // The value of a text that refers; none where it has none, or none yet.
  std::optional<Node> evaluated(const Node& node, const std::string& path) {
    ++values_;
    if (!is_small_enough(node, path)) return std::nullopt;
    const auto again = std::find(open_.begin(), open_.end(), path);
    if (again != open_.end()) {
      wrong(node, path,
            escape(fmt::format("these refer to each other: {} -> {}",
                               fmt::join(again, open_.end(), " -> "), path)));
      return std::nullopt;
    }
    if (open_.size() == kMostNested) {
      wrong(node, path, fmt::format("more than {} references lead to each other", kMostNested));
      return std::nullopt;
    }
    open_.push_back(path);
    std::optional<Node> out = value_of(node, path);
    open_.pop_back();
    return out;
  }

  std::optional<Node> value_of(const Node& node, const std::string& path) {
    const ParsedText parsed = parse_text(node.refers);
    if (!parsed.wrong.empty()) {
      wrong(node, path, parsed.wrong, kLiteral);
      return std::nullopt;
    }
    if (parsed.parts.size() == 1) {
      std::optional<Node> value = part_value(parsed.parts[0], node, path);
      if (!value) return std::nullopt;
      values_ += count_values(*value);
      if (!is_small_enough(node, path)) return std::nullopt;
      return in_place_of(node, std::move(*value));
    }
    Node out = in_place_of(node, Node::string(""));
    for (const TextPart& part : parsed.parts) {
      const auto value = part.is_reference ? text_of(part, node, path) : part.text;
      if (!value) return std::nullopt;
      out.scalar += *value;
      letters_ += value->size();
      if (!is_small_enough(node, path)) return std::nullopt;
    }
    return out;
  }

  bool is_small_enough(const Node& node, const std::string& path) {
    if (values_ <= kMostValues && letters_ <= kMostLetters) return true;
    if (!std::exchange(has_ended_, true))
      wrong(node, path,
            fmt::format("more than {} values, or {} letters, counting what references "
                        "repeat",
                        kMostValues, kMostLetters));
    return false;
  }

  std::optional<std::string> text_of(const TextPart& part, const Node& node,
                                     const std::string& path) {
    const auto value = part_value(part, node, path);
    if (!value) return std::nullopt;
    const Node* type = value->find("type");  // a component is called by its type
    const Node& shown = type ? *type : *value;
    if (shown.kind == Node::Kind::kScalar) return shown.scalar;
    wrong(node, path,
          fmt::format("{} is {}, which cannot stand within a text", escape(part.text),
                      value->shown()));
    return std::nullopt;
  }

  std::optional<Node> part_value(const TextPart& part, const Node& node, const std::string& path) {
    if (part.is_environment()) {
      return Node::plain(value_of_variable(part.text.substr(kEnvironment.size()), node, path));
    }
    const size_t before = problems_.size();
    std::optional<Node> out = found(part.text);
    if (out && (is_last() || !has_references(*out))) return out;
    if (is_last() && problems_.size() == before) refuse_unknown(part.text, node, path);
    return std::nullopt;
  }

  // The value at a path, its own references resolved.
  std::optional<Node> found(const std::string& path) {
    Node holder;
    const Node* node = &config_;
    std::string walked;
    for (size_t begin = 0; node && begin < path.size();) {
      const size_t dot = std::min(path.find('.', begin), path.size());
      const std::string part = path.substr(begin, dot - begin);
      begin = dot + 1;
      if (!node->refers.empty()) {
        std::optional<Node> value = evaluated(*node, walked);
        if (!value) return std::nullopt;
        holder = std::move(*value);
        node = &holder;
      }
      walked = join_path(walked, part);
      const bool is_shorthand =
          node->kind == Node::Kind::kScalar && part == "type" && begin >= path.size();
      if (!is_shorthand) {
        const Node* below = node->at_path(part);
        if (below && node == &holder) {
          Node own = *below;
          holder = std::move(own);
          below = &holder;
        }
        node = below;
      }
    }
    if (!node) {
      const Node* usual = completed_ ? completed_->at_path(path) : nullptr;
      return usual ? std::optional(*usual) : std::nullopt;
    }
    return node->refers.empty() ? copy(*node, path) : evaluated(*node, path);
  }

  void refuse_unknown(const std::string& name, const Node& node, const std::string& path) {
    std::string hint = did_you_mean(name, meant_by(name, *known_));
    if (hint.empty() && name.find(':') != name.npos)
      hint = "an environment variable is written ${env:NAME}";
    const KnownKey* known = known_->find(name);
    const bool is_off = known && !known->owner;
    wrong(node, path,
          fmt::format("${{{}}}: {}", escape(name),
                      is_off ? "this key has no value here" : "there is no such key"),
          escape(hint));
  }

  const Node& config_;
  const Node* completed_;
  const KnownKeys* known_;
  Problems& problems_;
  std::vector<std::string> open_;  // what is being resolved, from the outside inwards
  size_t values_ = 0, letters_ = 0;
  bool has_ended_ = false;  // of too many values, which is told once
};

// Each text that refers, by its path.
void list_references(const Node& node, const std::string& path,
                     std::vector<std::pair<std::string, std::string>>& out) {
  if (!node.refers.empty()) out.emplace_back(path, node.refers);
  for (size_t i = 0; i < node.children.size(); ++i) {
    const Node& child = node.children[i];
    list_references(child, join_path(path, node.is_mapping() ? child.key : std::to_string(i)), out);
  }
  for (const Node& child : node.under_default_type)
    list_references(child, join_path(path, child.key), out);
}

bool overlap(const std::string& a, const std::string& b) {
  return a == b || a.starts_with(b + ".") || b.starts_with(a + ".");
}

}  // namespace

bool refers_to_any(const std::string& text, const std::vector<std::string>& keys) {
  const ParsedText parsed = parse_text(text);
  return std::any_of(parsed.parts.begin(), parsed.parts.end(), [&](const TextPart& part) {
    return part.is_reference && std::any_of(keys.begin(), keys.end(), [&](const std::string& key) {
             return overlap(part.text, key);
           });
  });
}

void note_references(Node& scalar) {
  if (scalar.kind != Node::Kind::kScalar || scalar.scalar.find("${") == std::string::npos) return;
  const ParsedText parsed = parse_text(scalar.scalar);
  if (parsed.refers()) {
    scalar.refers = scalar.scalar;
  } else {
    scalar.scalar = parsed.parts[0].text;
  }
}

Node with_environment(Node config) {
  put_variables(config, "");
  return config;
}

Node with_own_values(const Node& config) {
  if (!has_references(config)) return config;
  Problems ignored;  // whoever needs the value says what is wrong
  return Resolver(config, nullptr, nullptr, ignored).run();
}

Node with_values(const Node& config, const ReferenceContext& context, Problems& problems) {
  if (!has_references(config)) return config;
  Node own = with_own_values(config);
  if (!has_references(own)) return own;
  const Node completed = context.completed(own);
  const KnownKeys known = context.known(own);
  return Resolver(config, &completed, &known, problems).run();
}

// `config` is changed through at_path().
// NOLINTNEXTLINE(performance-unnecessary-value-param)
Node with_followers(Node config, const Node& written, const std::vector<std::string>& keys) {
  std::vector<std::pair<std::string, std::string>> references, followers;
  list_references(written, "", references);
  std::vector<std::string> changed = keys;
  for (bool any = true; std::exchange(any, false);) {
    for (auto reference = references.begin(); reference != references.end();) {
      if (!refers_to_any(reference->second, changed)) {
        ++reference;
        continue;
      }
      changed.push_back(reference->first);
      followers.push_back(std::move(*reference));
      reference = references.erase(reference);
      any = true;
    }
  }
  for (const auto& [path, text] : followers) {
    Node* node = const_cast<Node*>(config.at_path(path));
    if (!node || node->is_mapping()) continue;
    Node referring = Node::string(text);
    referring.refers = text;
    referring.key = node->key;
    *node = std::move(referring);
  }
  return with_own_values(config);
}

}  // namespace vitrine

#include "framework/config/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "framework/config/fields.h"
#include "framework/config/hints.h"
#include "framework/config/scalar.h"
#include "framework/config/yaml.h"
#include "framework/error.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;
constexpr size_t kMaxFiles = 1000;

// A text that may name a component, so that it can stand for {type: text}.
bool is_shorthand(const Node& node) {
  return node.kind == Node::Kind::kScalar &&
         (node.quoted || (!parse_bool(node.scalar) && !parse_number(node.scalar)));
}

Node spelled_out(Node node) {
  if (!is_shorthand(node)) return node;
  Node out = Node::mapping();
  out.key = node.key;
  out.key_location = node.key_location;
  out.location = node.location;
  node.key = "type";
  out.children.push_back(std::move(node));
  return out;
}

const Node* type_of(const Node& node) {
  const Node* type = node.find("type");
  return type && type->kind == Node::Kind::kScalar ? type : nullptr;
}

// Merges two mappings that are no components, such as whole configs.
Node merge_keys(Node base, Node over) {
  base.key_location = over.key_location;
  if (over.location) base.location = over.location;
  std::unordered_map<std::string, size_t> places;
  for (size_t i = 0; i < base.children.size(); ++i) places.emplace(base.children[i].key, i);
  for (Node& child : over.children) {
    const auto [known, is_new] = places.emplace(child.key, base.children.size());
    if (is_new) {
      base.children.push_back(std::move(child));
      continue;
    }
    Node& old = base.children[known->second];
    Node merged = merge(std::move(old), std::move(child));
    merged.key = known->first;
    old = std::move(merged);
  }
  return base;
}

// Reads a file and, first, what it inherits from.
class Loader {
 public:
  Node load(const fs::path& file) {
    const fs::path canonical = fs::weakly_canonical(file);
    if (++files_ > kMaxFiles)
      throw Error(ExitCode::kUsage,
                  fmt::format("{}: more than {} bases", escape(file.string()), kMaxFiles));
    Node own = read_yaml(file);
    if (own.kind == Node::Kind::kNull) own = Node::mapping();
    if (!own.is_mapping()) {
      refuse(own.location, "expected a mapping, got " + own.shown(),
             "a config is made of lines such as seed: 0");
    }
    chain_.push_back({canonical, file});
    Node merged = Node::mapping();
    if (const Node* base = own.find("base")) {
      for (const Node& name : names_of_bases(*base, file.parent_path()))
        merged = merge_keys(std::move(merged), load_base(name, file.parent_path()));
      own.erase("base");
    }
    chain_.pop_back();
    merged.location = own.location;
    return merge_keys(std::move(merged), std::move(own));
  }

 private:
  static std::vector<Node> names_of_bases(const Node& base, const fs::path& folder) {
    std::vector<Node> names =
        base.kind == Node::Kind::kSequence ? base.children : std::vector<Node>{base};
    Problems problems;
    for (const Node& name : names) {
      std::error_code error;
      if (name.kind != Node::Kind::kScalar || name.scalar.empty()) {
        problems.add(name.location,
                     "base: expected the path of a config, or a list of them, got " + name.shown());
      } else if (const fs::path file = base_file(name, folder); !fs::exists(file, error)) {
        problems.add(name.location, "base: no such file: " + escape(file.string()),
                     "the path counts from the folder of the config that names it");
      }
    }
    if (!problems.empty()) throw Error(ExitCode::kUsage, problems.text(""));
    return names;
  }

  static fs::path base_file(const Node& name, const fs::path& folder) {
    return (folder / name.scalar).lexically_normal();
  }

  Node load_base(const Node& name, const fs::path& folder) {
    const fs::path file = base_file(name, folder);
    const fs::path canonical = fs::weakly_canonical(file);
    const auto again = std::find_if(chain_.begin(), chain_.end(),
                                    [&](auto& link) { return link.first == canonical; });
    if (again != chain_.end()) {
      std::string chain;
      for (auto link = again; link != chain_.end(); ++link)
        chain += escape(link->second.string()) + " -> ";
      refuse(name.location, "base: these configs inherit from each other: " + chain +
                                escape(again->second.string()));
    }
    return load(file);
  }

  std::vector<std::pair<fs::path, fs::path>> chain_;
  size_t files_ = 0;
};

// A value that is to be put into a config.
struct Given {
  Location begin;  // of the path, or of its end where only that is written as one
  const std::string& path;
  const Node& config;
  const KeysOf& keys_of;
  size_t unwritten = 0;  // bytes of the path before that end

  Location at(size_t byte) const {
    Location out = begin;
    out.column += static_cast<int>(std::max(byte, unwritten) - unwritten);
    return out;
  }
  // What may be meant by a path that leads nowhere.
  std::string hint(const std::string& usual) const {
    if (!keys_of) return usual;
    const std::string meant = did_you_mean(path, meant_by(path, keys_of(config)));
    return meant.empty() ? usual : escape(meant);
  }
};

// {a: {b: value}} for the path "a.b" that begins `start` bytes behind that of `given`.
Node nested(const Given& given, std::string_view path, size_t start, Node value) {
  for (;;) {
    const size_t dot = path.rfind('.');
    const size_t last = dot == path.npos ? 0 : dot + 1;
    Node outer = Node::mapping();
    outer.location = given.at(start);
    value.key_location = given.at(start + last);
    outer.set(std::string(path.substr(last)), std::move(value));
    if (last == 0) return outer;
    value = std::move(outer);
    path = path.substr(0, dot);
  }
}

// A number in a path addresses an item of a list that is there.
void refuse_item_without_list(const Given& given, std::string_view path, size_t start) {
  for (size_t begin = 0; begin < path.size();) {
    const size_t dot = std::min(path.find('.', begin), path.size());
    const std::string_view part = path.substr(begin, dot - begin);
    if (parse_integer(part)) {
      refuse(given.at(start + begin),
             fmt::format("there is no list whose item {} could be set", part),
             given.hint("set the list as a whole, in brackets"));
    }
    begin = dot + 1;
  }
}

// Puts `value` below `target`, at the rest of the path that begins `start` bytes behind its start.
void put(const Given& given, Node& target, std::string_view path, size_t start, Node value) {
  const size_t dot = std::min(path.find('.'), path.size());
  const std::string part(path.substr(0, dot));
  const std::string_view rest = path.substr(std::min(dot + 1, path.size()));
  if (target.kind == Node::Kind::kSequence) {
    const auto index = parse_integer(part);
    const size_t size = target.children.size();
    if (!index || *index < 0 || static_cast<size_t>(*index) >= size) {
      refuse(
          given.at(start), fmt::format("\"{}\" is no item of this list", escape(part)),
          given.hint(size ? fmt::format("its items are 0 to {}", size - 1) : "the list is empty"));
    }
    Node& item = target.children[static_cast<size_t>(*index)];
    if (rest.empty()) {
      item = merge(std::move(item), std::move(value));
    } else {
      put(given, item, rest, start + dot + 1, std::move(value));
    }
    return;
  }
  // Down to a list: its items are addressed in place. Anything else is a layer that is merged in.
  Node* below = target.find(part);
  if (below && !rest.empty() && (below->kind == Node::Kind::kSequence || below->is_mapping())) {
    put(given, *below, rest, start + dot + 1, std::move(value));
    return;
  }
  refuse_item_without_list(given, path, start);
  Node layer = nested(given, path, start, std::move(value));
  if (target.location) layer.location = target.location;
  const std::string key = target.key;
  const Location key_location = target.key_location;
  const bool is_whole = &target == &given.config && target.is_mapping();
  target = (is_whole ? merge_keys : merge)(std::move(target), std::move(layer));
  target.key = key;
  target.key_location = key_location;
}

char letter_at(const Location& place) {
  const auto line = static_cast<size_t>(place.line), column = static_cast<size_t>(place.column);
  const auto& lines = place.source->lines;
  return line < lines.size() && column < lines[line].size() ? lines[line][column] : '\0';
}

}  // namespace

Node merge(Node base, Node over) {
  if (base.is_mapping() && is_shorthand(over)) over = spelled_out(std::move(over));
  if (over.is_mapping() && is_shorthand(base)) base = spelled_out(std::move(base));
  if (!base.is_mapping() || !over.is_mapping()) return over;
  if (const Node* type = type_of(over)) {
    const Node* base_type = type_of(base);
    if (base_type && base_type->scalar != type->scalar) {
      over.replaced = std::make_shared<const Node>(std::move(base));
      return over;
    }
    if (!base_type) {
      over.under_default_type = std::move(base.children);
      return over;
    }
  }
  return merge_keys(std::move(base), std::move(over));
}

void set_value(Node& config, const std::string& path, Node value) {
  Location begin = value.key_location ? value.key_location : Location{value.location.source, 0, 0};
  const char first = value.key_location ? letter_at(begin) : '\0';
  if (first == '"' || first == '\'') ++begin.column;
  const KeysOf nobody;
  const bool is_end = !value.key.empty() && path.ends_with("." + value.key);
  const size_t unwritten = is_end ? path.size() - value.key.size() : 0;
  put({begin, path, config, nobody, unwritten}, config, path, 0, std::move(value));
}

void apply_override(Node& config, const std::string& text, const KeysOf& keys_of) {
  const Assignment assignment(text);
  if (assignment.size() > 1 || is_range_text(assignment.text(0))) {
    refuse(assignment.place(assignment.path().size() + 1),
           fmt::format("{}: several values make a sweep: runner sweep CONFIG {}",
                       escape(assignment.path()), escape(text)),
           "a list is written in brackets, [a, b], and a text with a comma or dots in quotes");
  }
  put({assignment.place(0), assignment.path(), config, keys_of}, config, assignment.path(), 0,
      assignment.value(0));
}

ptrdiff_t depth_of(const std::string& path) {
  return std::count(path.begin(), path.end(), '.') - (path.ends_with(".type") ? 1 : 0);
}

std::string short_name(const std::string& path, const std::vector<std::string>& paths) {
  const auto last_part = [](const std::string& of) {
    size_t dot = of.rfind('.');
    // An item of a list is called by the list: "betas.1".
    if (dot != of.npos && dot > 0 && parse_integer(of.substr(dot + 1)))
      dot = of.rfind('.', dot - 1);
    return of.substr(dot == of.npos ? 0 : dot + 1);
  };
  const std::string last = last_part(path);
  const bool alone = std::none_of(paths.begin(), paths.end(), [&](const std::string& other) {
    return other != path && last_part(other) == last;
  });
  return alone ? last : path;
}

namespace {

void list_set(const Node& node, const std::string& path, const KnownKeys& known, KnownKeys& out) {
  if (!node.is_mapping()) return;
  for (const Node& child : node.children) {
    KnownKey key;
    key.path = join_path(path, child.key);
    if (const KnownKey* same = known.find(key.path)) key.words = same->words;
    out.add(key);
    list_set(child, key.path, known, out);
  }
}

// Which key that is set may be meant by one that is not; else which that is not set either.
std::string unset_hint(const Node& config, const std::string& path, const KeysOf& keys_of) {
  const KnownKeys known = keys_of ? keys_of(config) : KnownKeys();
  if (known.find(path)) return "";
  KnownKeys set;
  list_set(config, "", known, set);
  const std::string near = did_you_mean(path, meant_by(path, set));
  if (!near.empty()) return "; " + escape(near);
  return nor_is(meant_by(path, known));
}

void unset(Node& config, const std::string& path, const KeysOf& keys_of) {
  const size_t dot = path.rfind('.');
  const std::string parent = dot == path.npos ? "" : path.substr(0, dot);
  const std::string name = path.substr(dot == path.npos ? 0 : dot + 1);
  Node* node = const_cast<Node*>(config.at_path(parent));
  if (node && name == "type" && !parent.empty()) *node = spelled_out(std::move(*node));
  if (node && node->erase(name)) return;
  if (node && node->kind == Node::Kind::kSequence) {
    throw Error(ExitCode::kUsage,
                fmt::format("--unset {}: an item of a list has no default", escape(path)));
  }
  throw Error(ExitCode::kUsage, fmt::format("--unset {}: the config does not set it{}",
                                            escape(path), unset_hint(config, path, keys_of)));
}

std::string path_of(const std::string& assignment) {
  return assignment.substr(0, assignment.find('='));
}

void refuse_contradiction(const std::string& path, const std::vector<std::string>& overrides) {
  for (const std::string& assignment : overrides) {
    const std::string key = path_of(assignment);
    if (key != path && !key.starts_with(path + ".")) continue;
    throw Error(ExitCode::kUsage, fmt::format("--unset {}: the command line sets it as well ({})",
                                              escape(path), escape(assignment)));
  }
}

}  // namespace

Node load_config(const ConfigSource& source, const KeysOf& keys_of) {
  Node config = Loader().load(source.file);
  for (const std::string& path : source.unset) refuse_contradiction(path, source.overrides);
  // `optimizer=sgd` comes before `optimizer.lr=0.1`, which it would drop, however they are written.
  std::vector<std::string> overrides = source.overrides;
  std::stable_sort(overrides.begin(), overrides.end(),
                   [](auto& a, auto& b) { return depth_of(path_of(a)) < depth_of(path_of(b)); });
  for (const std::string& assignment : overrides) apply_override(config, assignment, keys_of);
  for (const std::string& path : source.unset) unset(config, path, keys_of);
  return config;
}

namespace {

const Node* find_written(const Node& node, std::string_view path) {
  if (path.empty()) return &node;
  const size_t dot = std::min(path.find('.'), path.size());
  const std::string_view part = path.substr(0, dot),
                         rest = path.substr(std::min(dot + 1, path.size()));
  if (node.kind == Node::Kind::kScalar && path == "type") return &node;  // a shorthand
  const Node* child = node.at_path(part);
  const Node* found = child ? find_written(*child, rest) : nullptr;
  if (found || !node.holds_under_default_type) return found;
  for (const Node& below : node.under_default_type) {
    if (below.key == part) return find_written(below, rest);
  }
  return nullptr;
}

}  // namespace

std::string origin_of(const Node& written, const std::string& path) {
  const Node* node = find_written(written, path);
  if (!node || !node->location) return "default";
  return node->location.source->name == "command line" ? "command line" : node->location.text();
}

}  // namespace vitrine

#include "framework/config/load.h"

#include <fmt/format.h>

#include <algorithm>

#include "framework/config/fields.h"
#include "framework/config/hints.h"
#include "framework/config/references.h"
#include "framework/config/yaml.h"
#include "framework/error.h"
#include "framework/files/paths.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;
constexpr size_t kMaxFiles = 1000;

// Of a pipe, which has no name, what it was opened by.
fs::path whole_path(const fs::path& file) {
  std::error_code error;
  const fs::path out = fs::weakly_canonical(file, error);
  return error ? file : out;
}

// A sweep file with configs of its own has no base itself.
bool names_configs(const Node& own) {
  const Node* sweep = own.find("sweep");
  return sweep && sweep->find("configs");
}

// Reads a file and, first, what it inherits from.
class Loader {
 public:
  Node load(const fs::path& file) {
    const fs::path canonical = whole_path(file);
    if (++files_ > kMaxFiles)
      throw Error(ExitCode::kUsage,
                  fmt::format("{}: more than {} bases", escape(file.string()), kMaxFiles));
    Node own = chain_.empty() ? read_yaml_or_pipe(file) : read_yaml(file);
    if (own.kind == Node::Kind::kNull) own = Node::mapping();
    if (!own.is_mapping()) {
      refuse(own.location, "expected a mapping, got " + own.shown(),
             "a config is made of lines such as seed: 0");
    }
    own = with_environment(std::move(own));
    take_appended(own);
    chain_.emplace_back(canonical, file);
    Node merged = Node::mapping();
    if (const Node* base = own.find("base")) {
      for (const Node& name : names_of_bases(*base, folder_of(file)))
        merged = inherit(std::move(merged), load_base(name, folder_of(file)));
      own.erase("base");
    }
    chain_.pop_back();
    if (!names_configs(own)) take_back(merged, own);
    merged.location = own.location;
    return inherit(std::move(merged), std::move(own));
  }

 private:
  static std::vector<Node> names_of_bases(const Node& base, const fs::path& folder) {
    std::vector<Node> names =
        base.kind == Node::Kind::kSequence ? base.children : std::vector<Node>{base};
    Problems problems;
    for (const Node& name : names) check_base(name, folder, problems);
    if (!problems.empty()) throw Error(ExitCode::kUsage, problems.text(""));
    return names;
  }

  static void check_base(const Node& name, const fs::path& folder, Problems& problems) {
    std::error_code error;
    if (name.kind != Node::Kind::kScalar || name.scalar.empty()) {
      problems.add(name.location,
                   "base: expected the path of a config, or a list of them, got " + name.shown());
    } else if (!name.refers.empty()) {
      problems.add(name.location, "base: no key has a value before the bases are read",
                   "only environment variables can stand here, such as ${env:HOME}");
    } else if (!fs::exists(base_file(name, folder), error) &&
               (!error || error == std::errc::filename_too_long)) {
      const fs::path whole = fs::absolute(base_file(name, folder), error).lexically_normal();
      problems.add(name.location, "base: no such file: " + escape(whole.string()),
                   fs::path(expand_home(name.scalar)).is_absolute()
                       ? ""
                       : "a relative path counts from the folder of the config that names it");
    }
  }

  static fs::path base_file(const Node& name, const fs::path& folder) {
    return (folder / expand_home(name.scalar)).lexically_normal();
  }

  Node load_base(const Node& name, const fs::path& folder) {
    const fs::path file = base_file(name, folder);
    const fs::path canonical = whole_path(file);
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

}  // namespace

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
  const NotTaken why = take_back(config, path);
  if (why == NotTaken::kNothing) return;
  if (why == NotTaken::kItem) {
    throw Error(ExitCode::kUsage,
                fmt::format("--unset {}: an item of a list has no default", escape(path)));
  }
  throw Error(ExitCode::kUsage, fmt::format("--unset {}: the config does not set it{}",
                                            escape(path), unset_hint(config, path, keys_of)));
}

std::string path_of(const std::string& assignment) {
  const size_t equals = std::min(assignment.find('='), assignment.size());
  const bool appends = equals > 0 && assignment[equals - 1] == '+';
  return assignment.substr(0, equals - (appends ? 1 : 0));
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

fs::path folder_of(const fs::path& config) {
  const std::string folder = config.parent_path().string();
  const bool is_stream =
      config == "/dev/stdin" || folder == "/dev/fd" || folder.starts_with("/proc/");
  return is_stream ? fs::path() : config.parent_path();
}

std::string default_name(const fs::path& file) {
  const bool is_named =
      file == "-" || file == "/dev/stdin" || !folder_of(file).empty() || !file.has_parent_path();
  return is_named ? fs::path(shown_config(file)).stem().string() : "config";
}

Node load_config(const ConfigSource& source, const KeysOf& keys_of) {
  Node config = source.file.empty() ? Node::mapping() : Loader().load(source.file);
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
  const bool is_typed = node->location.source->name == "command line";
  const std::string place = is_typed ? "command line" : node->location.text();
  return node->from.empty() ? place : place + ", " + escape(node->from);
}

}  // namespace vitrine

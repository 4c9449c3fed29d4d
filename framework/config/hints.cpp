#include "framework/config/hints.h"

#include <fmt/format.h>

#include <algorithm>

#include "framework/config/fields.h"
#include "framework/error.h"

namespace vitrine {
namespace {

constexpr size_t kMostShown = 5;

std::string plural(const std::string& kind) {
  if (kind.ends_with("s")) return kind + "es";
  return kind.ends_with("y") ? kind.substr(0, kind.size() - 1) + "ies" : kind + "s";
}

// "adam and adamw, not of sgd"
std::string owners(const KnownKey::Owner& owner) {
  return enumerated(owner.names, "and") + (owner.chosen.empty() ? "" : ", not of " + owner.chosen);
}

std::string whose(const KnownKey::Owner& owner) {
  return fmt::format("it is an option of the {} {}",
                     owner.names.size() == 1 ? owner.kind : plural(owner.kind), owners(owner));
}

// "a.b" of {a: {b: ...}}.
std::string as_mappings(const std::string& path) {
  const size_t dot = path.find('.');
  if (dot == path.npos) return path + ": ...";
  return path.substr(0, dot) + ": {" + as_mappings(path.substr(dot + 1)) + "}";
}

// Whether the item is the component whose option it is.
bool tells_its_owner(const KnownKey& key) {
  const bool is_own = is_of_next_item(key) && key.path.rfind('.') == key.path.find(".N.") + 2;
  return is_own && key.owner && key.owner->names.size() == 1 && key.owner->chosen.empty();
}

std::string shown(const KnownKey& key) {
  if (!is_of_next_item(key)) return key.path;
  const size_t next = key.path.find(".N.");
  const std::string type = tells_its_owner(key) ? "type: " + key.owner->names[0] + ", " : "";
  return key.path.substr(0, next) + ": [{" + type + as_mappings(key.path.substr(next + 3)) + "}]";
}

// `show` puts a key into words.
template <class Show>
std::string question(const std::vector<KnownKey>& meant, const Show& show) {
  if (meant.empty()) return "";
  if (meant.size() == 1) {
    const KnownKey& key = meant[0];
    const std::string remark =
        key.owner && !tells_its_owner(key) ? " " + whose(*key.owner) : std::string();
    return "did you mean " + show(key) + "?" + remark;
  }
  std::vector<std::string> names;
  for (const KnownKey& key : meant) {
    if (names.size() == kMostShown) break;
    const bool tell = key.owner && !tells_its_owner(key);
    names.push_back(show(key) + (tell ? " (of " + owners(*key.owner) + ")" : ""));
  }
  if (meant.size() > kMostShown) names.emplace_back("another");
  return "did you mean " + enumerated(names) + "?";
}

// "a.b" and "b: {c: 1}" are about "a.b.c", where the mapping has no other key; {type: x} is x.
std::string path_of_value(const std::string& path, const Node& node) {
  const bool single =
      node.is_mapping() && node.children.size() == 1 && node.children[0].key != "type";
  return single ? path_of_value(join_path(path, node.children[0].key), node.children[0]) : path;
}

// Whether the key is `written` with another spelling or word for the part at `begin`.
bool differs_in_part(const std::string& key, const std::string& written, size_t begin,
                     const KnownKeys& keys) {
  const size_t end = std::min(written.find('.', begin), written.size());
  const size_t own_end = std::min(key.find('.', begin), key.size());
  if (key.compare(0, begin, written, 0, begin) != 0 || own_end <= begin ||
      key.substr(own_end) != written.substr(end)) {
    return false;
  }
  const KnownKey* part = keys.find(key.substr(0, own_end));
  return end == written.size() || (part && is_called(written.substr(begin, end - begin), *part));
}

}  // namespace

std::string enumerated(const std::vector<std::string>& names, const std::string& last) {
  std::string out;
  for (size_t i = 0; i < names.size(); ++i) {
    out += (i == 0 ? "" : i + 1 == names.size() ? " " + last + " " : ", ") + names[i];
  }
  return out;
}

std::string nor_is(const std::vector<KnownKey>& meant) {
  std::vector<std::string> paths;
  for (size_t i = 0; i < std::min(meant.size(), kMostShown); ++i) paths.push_back(meant[i].path);
  return paths.empty() ? "" : ", nor " + enumerated(paths);
}

std::string did_you_mean(const std::string& path, const std::vector<KnownKey>& meant) {
  if (meant.size() == 1 && meant[0].path == path) return whose(*meant[0].owner);
  return question(meant, shown);
}

std::string hint_for_unknown(const std::string& path, const Node& unknown, const KnownKeys& keys) {
  const std::string own = join_path(path, unknown.key), whole = path_of_value(own, unknown);
  const bool dotted = unknown.key.find('.') != std::string::npos;
  const size_t begin = path.empty() ? 0 : path.size() + 1;
  const auto hint = [&](const std::string& written, bool is_mapping) -> std::string {
    const std::vector<KnownKey> meant = meant_by(written, keys, is_mapping);
    if (meant.size() == 1 && meant[0].path == written) return did_you_mean(written, meant);
    const bool beside = !dotted && std::all_of(meant.begin(), meant.end(), [&](auto& key) {
      return differs_in_part(key.path, written, begin, keys);
    });
    return question(meant, [&](const KnownKey& key) -> std::string {
      if (beside) return key.path.substr(0, key.path.find('.', begin));
      if (dotted) return as_mappings(key.path);
      const bool is_top = !path.empty() && key.path.find('.') == std::string::npos;
      return shown(key) + (is_top ? " (at the top)" : "");
    });
  };
  std::string out = whole == own ? "" : hint(whole, false);
  return out.empty() ? hint(own, unknown.is_mapping()) : out;
}

std::string hint_for_dots(const std::string& path, const std::string& key, const KnownKeys& keys) {
  const size_t dot = key.find('.');
  const std::string parent = join_path(path, key.substr(0, dot)) + ".";
  std::string rest = key.substr(dot + 1);
  if (!keys.find(parent + rest)) {
    const auto meant = meant_by(parent + rest, keys);
    const std::string found = meant.empty() ? "" : meant[0].path;
    if (found.starts_with(parent + KnownKey::kNextItem + "."))
      return did_you_mean(parent + rest, meant);
    if (found.starts_with(parent)) rest = found.substr(parent.size());
  }
  return fmt::format("dots are for the command line; here it is {}: {{{}: ...}}",
                     key.substr(0, dot), escape(rest));
}

}  // namespace vitrine

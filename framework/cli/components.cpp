#include "framework/cli/components.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "framework/config/hints.h"
#include "framework/engine/engine.h"

namespace vitrine {
namespace {

// What is called `name` among components of other kinds and among the keys of configs.
std::string meant_elsewhere(const std::string& name, const KnownKeys& keys) {
  std::vector<std::string> components;
  for (const std::string& kind : Registry::instance().kinds()) {
    if (Registry::instance().find(kind, name)) components.push_back(kind + " " + name);
  }
  if (!components.empty()) return "did you mean " + enumerated(components) + "?";
  return did_you_mean(name, meant_by(name, keys));
}

std::string in_brackets(const std::string& hint) {
  return hint.empty() ? "" : " (" + escape(hint) + ")";
}

// The kinds, with what the keys are called that choose one of them: "transforms", "lr_scheduler".
KnownKeys known_kinds(const std::vector<std::string>& kinds, const KnownKeys& keys) {
  KnownKeys out;
  for (const std::string& kind : kinds) out.add({.path = kind});
  for (const KnownKey& key : keys.list()) {
    if (key.kind.empty()) continue;
    std::string path = key.path.substr(0, key.path.rfind('.'));
    if (path.ends_with(std::string(".") + KnownKey::kNextItem)) path.resize(path.size() - 2);
    KnownKey kind{.path = key.kind};
    if (const KnownKey* choice = keys.find(path)) kind.words = choice->words;
    kind.words.push_back(path.substr(path.rfind('.') + 1));
    out.add(kind);
  }
  return out;
}

}  // namespace

void require_kind(const std::string& kind) {
  const auto kinds = Registry::instance().kinds();
  if (std::find(kinds.begin(), kinds.end(), kind) != kinds.end()) return;
  const KnownKeys keys = engine().known_keys(Node::mapping());
  const std::string last = kind.substr(kind.rfind('.') + 1);  // "model.mlp" chooses an mlp
  const bool is_key = std::find(kinds.begin(), kinds.end(), last) != kinds.end();
  std::string hint = is_key ? "did you mean " + last + "?"
                            : did_you_mean(kind, meant_by(last, known_kinds(kinds, keys)));
  if (hint.empty()) hint = meant_elsewhere(kind, keys);
  throw Error(ExitCode::kUsage,
              fmt::format("there is no kind \"{}\"{}; there are {}{}", escape(kind),
                          in_brackets(hint), fmt::join(kinds, ", "),
                          hint.empty() ? "; " + Registry::instance().plugin_hint() : ""));
}

const Component& find_component(const std::string& kind, const std::string& name) {
  const Registry& registry = Registry::instance();
  if (const Component* component = registry.find(kind, name)) return *component;
  const auto names = registry.names(kind);
  const std::string near = nearest_names(name, names);
  const std::string hint = near.empty()
                               ? meant_elsewhere(name, engine().known_keys(Node::mapping()))
                               : "did you mean " + near + "?";
  throw Error(ExitCode::kUsage, fmt::format("there is no {} \"{}\"{}; there are {}{}", kind,
                                            escape(name), in_brackets(hint), fmt::join(names, ", "),
                                            hint.empty() ? "; " + registry.plugin_hint() : ""));
}

}  // namespace vitrine

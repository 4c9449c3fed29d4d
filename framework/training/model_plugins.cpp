#include "framework/training/model_plugins.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "framework/error.h"
#include "framework/registry/plugin.h"
#include "framework/runs/environment.h"
#include "framework/runs/metrics.h"

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;

std::string shortened(const std::string& digest) { return escape(digest.substr(0, 12)); }

std::string shown(const Component& component) { return component.kind + " " + component.name; }

// "mlp mine"; nullptr where there is no such component.
const Component* find_component(const std::string& words) {
  const size_t space = std::min(words.find(' '), words.size());
  const std::string name = words.substr(std::min(space + 1, words.size()));
  return Registry::instance().find(words.substr(0, space), name);
}

// The components of plug-ins that a choice holds, by the paths of these.
void list_components(const ChoiceBase& choice,
                     std::map<std::string, std::vector<std::string>>& out) {
  const Node written = choice.write();
  KnownKeys keys;
  choice.list_known("", &written, keys);
  for (const KnownKey& key : keys.list()) {
    const Node* type = key.kind.empty() ? nullptr : written.at_path(key.path);
    if (!type || type->kind != Node::Kind::kScalar) continue;
    const Component* component = Registry::instance().find(key.kind, type->scalar);
    if (!component || component->library.empty()) continue;
    auto& known = out[component->library];
    if (std::find(known.begin(), known.end(), shown(*component)) == known.end())
      known.push_back(shown(*component));
  }
}

// What a plug-in was and is; empty where that is the same, as far as anybody knows.
std::string difference(const nlohmann::json& before, const nlohmann::json& now) {
  const auto sources = [](const nlohmann::json& plugin) {
    return plugin.at("sources").get<std::string>();
  };
  std::vector<std::string> out;
  if (sources(before) != sources(now)) {
    out.push_back(fmt::format("its code was {}, and is {}", shortened(sources(before)),
                              shortened(sources(now))));
  }
  const auto libraries = [](const nlohmann::json& plugin) {
    return plugin.value("libraries", std::map<std::string, std::string>());
  };
  const auto was = libraries(before), is = libraries(now);
  for (const auto& [name, digest] : is) {
    const auto old = was.find(name);
    if (old != was.end() && old->second == digest) continue;
    out.push_back(fmt::format("{} that it links was {}, and is {}", escape(name),
                              old == was.end() ? "not there" : shortened(old->second),
                              shortened(digest)));
  }
  return fmt::format("{}", fmt::join(out, "; "));
}

void warn_of_difference(const std::string& file, const nlohmann::json& before, const Json& now) {
  const std::string words = difference(before, now);
  if (words.empty()) return;
  warn_of_plugin(fmt::format("{}: the plug-in \"{}\" is not what trained it: {}", file,
                             escape(before.at("name").get<std::string>()), words));
}

std::string joined_words(const std::vector<std::string>& words) {
  return escape(fmt::format("{}", fmt::join(words, ", ")));
}

// Components of an entry that are not there; of the others the library is told.
std::vector<std::string> missing_of(const nlohmann::json& plugin, std::string& library) {
  std::vector<std::string> out;
  for (const auto& one : plugin.at("components")) {
    const auto words = one.get<std::string>();
    const Component* component = find_component(words);
    if (component) library = component->library;
    if (!component) out.push_back(words);
  }
  return out;
}

}  // namespace

Json plugins_of(const std::vector<const ChoiceBase*>& choices) {
  std::map<std::string, std::vector<std::string>> components;
  for (const ChoiceBase* choice : choices) list_components(*choice, components);
  Json out = Json::array();
  if (components.empty()) return out;
  for (const CodeVersion& plugin : loaded_code().plugins) {
    const auto used = components.find(plugin.file.string());
    if (used == components.end()) continue;
    Json one = to_json(plugin);
    one["path"] = plugin.file.string();
    one["components"] = used->second;
    out.push_back(std::move(one));
  }
  return out;
}

void require_plugins(const nlohmann::json& plugins, const std::string& file) {
  std::vector<std::string> lacking;
  std::map<std::string, nlohmann::json> there;  // by the libraries that are loaded
  for (const auto& plugin : plugins) {
    std::string library;
    const auto missing = missing_of(plugin, library);
    if (missing.empty()) {
      there[library] = plugin;
      continue;
    }
    lacking.push_back(fmt::format("{} of the plug-in \"{}\" (code {}, at {} when it was trained)",
                                  joined_words(missing),
                                  escape(plugin.at("name").get<std::string>()),
                                  shortened(plugin.at("sources").get<std::string>()),
                                  escape(plugin.at("path").get<std::string>())));
  }
  if (!lacking.empty()) {
    throw Error(ExitCode::kCheckpoint,
                fmt::format("{}: the model has parts that are not here: {}; --plugin FILE loads {}",
                            file, fmt::join(lacking, ", and "),
                            lacking.size() == 1 ? "it" : "one, and may be given again"));
  }
  if (there.empty()) return;
  for (const CodeVersion& plugin : loaded_code().plugins) {
    const auto before = there.find(plugin.file.string());
    if (before != there.end()) warn_of_difference(file, before->second, to_json(plugin));
  }
}

void warn_of_other_plugins(const RunDirectory& run) try {
  const Json environment = Metrics::of_run(run.metrics()).environment;
  const Json before = environment.value("plugins", Json::array());
  for (const CodeVersion& plugin : loaded_code().plugins) {
    const auto is_it = [&](const Json& other) { return other.value("name", "") == plugin.name; };
    const auto old = std::find_if(before.begin(), before.end(), is_it);
    if (old != before.end()) warn_of_difference(escape(run.path().string()), *old, to_json(plugin));
  }
} catch (const Error&) {
  // Of a metrics.json that is gone or damaged nobody knows.
} catch (const nlohmann::json::exception&) {
}

}  // namespace vitrine

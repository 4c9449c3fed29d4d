#include <fmt/format.h>
#include <fmt/ranges.h>

#include "framework/cli/terminal.h"
#include "framework/cli/verbs.h"
#include "framework/config/hints.h"
#include "framework/engine/engine.h"
#include "framework/registry/registry.h"

namespace vitrine {

namespace {

using Json = nlohmann::ordered_json;

struct ListOptions {
  std::string kind, name;
  bool json = false;
};

Json described(const Component& component) {
  Json options = Json::array();
  const auto values = make_options(component);
  const Fields fields = fields_of(component, values.get());
  Problems ignored;
  for (const Field& field : fields.list()) {
    field.value->read_default(field.name, ignored);
    options.push_back({{"name", field.name},
                       {"type", field.value->type()},
                       {"default", to_flow_yaml(field.value->write())},
                       {"help", field.help}});
  }
  return {{"kind", component.kind},
          {"name", component.name},
          {"description", component.description},
          {"origin", component.origin()},
          {"options", options}};
}

// Of one whose options cannot be told, why.
Json described_or_error(const Component& component) {
  try {
    return described(component);
  } catch (const Error& error) {
    return {{"kind", component.kind},
            {"name", component.name},
            {"description", component.description},
            {"origin", component.origin()},
            {"error", error.what()}};
  }
}

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

const Component& find(const ListOptions& options) {
  const Registry& registry = Registry::instance();
  if (const Component* component = registry.find(options.kind, options.name)) return *component;
  const auto names = registry.names(options.kind);
  const std::string near = nearest_names(options.name, names);
  const std::string hint = near.empty()
                               ? meant_elsewhere(options.name, engine().known_keys(Node::mapping()))
                               : "did you mean " + near + "?";
  throw Error(ExitCode::kUsage,
              fmt::format("there is no {} \"{}\"{}; there are {}{}", options.kind,
                          escape(options.name), in_brackets(hint), fmt::join(names, ", "),
                          hint.empty() ? "; " + registry.plugin_hint() : ""));
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

std::string shown_one(const Json& component) {
  std::string out = fmt::format("{} {}: {}\nfrom {}", component.at("kind").get<std::string>(),
                                component.at("name").get<std::string>(),
                                component.at("description").get<std::string>(),
                                escape(component.at("origin").get<std::string>()));
  if (component.at("options").empty()) return out + "\nit has no options";
  std::vector<std::vector<std::string>> rows = {{"option", "type", "default", "meaning"}};
  for (const Json& option : component.at("options")) {
    const std::string value = option.at("default");
    rows.push_back({option.at("name"), option.at("type"),
                    value.size() > 40 ? value.substr(0, 37) + "..." : value, option.at("help")});
  }
  return out + "\n\n" + terminal_table(rows);
}

std::string shown_kind(const std::string& kind) {
  std::vector<std::vector<std::string>> rows;
  for (const std::string& name : Registry::instance().names(kind)) {
    rows.push_back({"  " + name, Registry::instance().find(kind, name)->description});
  }
  return kind + "\n" + terminal_table(rows);
}

ExitCode list(const ListOptions& options) {
  engine();
  require_sound_registry();
  if (!options.kind.empty()) require_kind(options.kind);
  if (!options.name.empty()) {
    const Json one = described(find(options));
    options.json ? print_json(one) : print(shown_one(one));
    return ExitCode::kDone;
  }
  const auto kinds =
      options.kind.empty() ? Registry::instance().kinds() : std::vector<std::string>{options.kind};
  Json all = Json::array();
  std::string text;
  for (const std::string& kind : kinds) {
    for (const std::string& name : Registry::instance().names(kind))
      all.push_back(described_or_error(*Registry::instance().find(kind, name)));
    text += (text.empty() ? "" : "\n") + shown_kind(kind);
  }
  options.json ? print_json(all) : print(text);
  return ExitCode::kDone;
}

}  // namespace

Action list_verb(CLI::App& app) {
  auto options = std::make_shared<ListOptions>();
  app.add_option("KIND", options->kind, "such as mlp; without it, all kinds");
  app.add_option("NAME", options->name, "a component, to see its options");
  add_plugin_option(app);
  app.add_flag("--json", options->json, "print JSON");
  return [options] { return list(*options); };
}

}  // namespace vitrine

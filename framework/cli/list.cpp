#include <fmt/format.h>
#include <fmt/ranges.h>

#include "framework/cli/components.h"
#include "framework/cli/terminal.h"
#include "framework/cli/verbs.h"
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
    const Json one = described(find_component(options.kind, options.name));
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

#include "framework/engine/check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "framework/cli/components.h"
#include "framework/cli/terminal.h"
#include "framework/cli/verbs.h"
#include "framework/config/yaml.h"
#include "framework/engine/engine.h"
#include "framework/files/paths.h"
#include "framework/registry/plugin.h"
#include "framework/registry/registry.h"

namespace vitrine {

namespace {

using Json = nlohmann::ordered_json;

struct CheckOptions {
  std::vector<std::string> words;  // PLUGIN, or KIND with a NAME, then OPTION=VALUE
  bool json = false;
};

struct Counts {
  int sound = 0, faults = 0, not_tried = 0;
};

const char* word_for(Finding::Kind kind) {
  return kind == Finding::Kind::kSound   ? "sound"
         : kind == Finding::Kind::kFault ? "fault"
                                         : "not tried";
}

std::string coloured_word(Finding::Kind kind) {
  const std::string word = fmt::format("{:9}", word_for(kind));
  const char* colour = kind == Finding::Kind::kSound   ? "32"
                       : kind == Finding::Kind::kFault ? "31"
                                                       : "2";
  return coloured(word, colour, 1);
}

std::vector<const Component*> components_of_kind(const std::string& kind) {
  std::vector<const Component*> out;
  for (const std::string& name : Registry::instance().names(kind))
    out.push_back(Registry::instance().find(kind, name));
  return out;
}

bool is_kind(const std::string& word) {
  const auto kinds = Registry::instance().kinds();
  return std::find(kinds.begin(), kinds.end(), word) != kinds.end();
}

// The one that is named, those of a kind, or those of a plug-in, which is loaded.
std::vector<const Component*> components_of(const std::vector<std::string>& names) {
  if (names.size() == 2) {
    require_kind(names[0]);
    return {&find_component(names[0], names[1])};
  }
  if (is_kind(names[0]) && !std::filesystem::exists(names[0])) return components_of_kind(names[0]);
  const std::filesystem::path file = expand_home(names[0]);
  load_plugin(file);
  const auto library = std::filesystem::weakly_canonical(std::filesystem::absolute(file)).string();
  std::vector<const Component*> out;
  for (const std::string& kind : Registry::instance().kinds()) {
    for (const Component* component : components_of_kind(kind)) {
      if (component->library == library) out.push_back(component);
    }
  }
  return out;
}

// Tries one component, and shows each thing as it is known.
Json checked(const Component& component, const Node& options, bool json, Counts& counts) {
  Json findings = Json::array();
  if (!json)
    print(fmt::format("{} {} ({})", component.kind, component.name, escape(component.place)));
  check_component(component.kind, component.name, options, [&](const Finding& finding) {
    counts.sound += finding.kind == Finding::Kind::kSound;
    counts.faults += finding.kind == Finding::Kind::kFault;
    counts.not_tried += finding.kind == Finding::Kind::kNotTried;
    findings.push_back(
        {{"what", finding.what}, {"finding", word_for(finding.kind)}, {"words", finding.words}});
    if (json) return;
    print(fmt::format("  {} {:10} {}", coloured_word(finding.kind), finding.what,
                      escape_lines(finding.words)));
    std::fflush(stdout);
  });
  return {{"kind", component.kind}, {"name", component.name}, {"findings", findings}};
}

ExitCode check(const CheckOptions& options) {
  std::vector<std::string> names;
  Node values = Node::mapping();
  for (const std::string& word : options.words) {
    if (word.find('=') == word.npos || word.find('/') < word.find('=')) {
      names.push_back(word);
    } else {
      apply_override(values, word);
    }
  }
  if (names.empty() || names.size() > 2) {
    throw Error(
        ExitCode::kUsage,
        "what is to be checked? a plug-in, a kind, or a kind and a name: runner check mlp gelu");
  }
  if (names.size() == 1 && !values.children.empty())
    throw Error(ExitCode::kUsage, "options belong to one component: runner check KIND NAME " +
                                      escape(options.words.back()));
  engine();
  const auto components = components_of(names);
  require_sound_registry();
  Counts counts;
  Json all = Json::array();
  for (const Component* component : components) {
    all.push_back(checked(*component, values, options.json, counts));
    if (!options.json && components.size() > 1) print("");
  }
  if (options.json) {
    print_json(all);
  } else {
    print(fmt::format("{} sound, {} fault{}, {} not tried", counts.sound, counts.faults,
                      counts.faults == 1 ? "" : "s", counts.not_tried));
  }
  return counts.faults > 0 ? ExitCode::kPlugin : ExitCode::kDone;
}

}  // namespace

Action check_verb(CLI::App& app) {
  auto options = std::make_shared<CheckOptions>();
  app.add_option(
      "PLUGIN | KIND NAME", options->words,
      "a plug-in or a kind, all of whose components are tried, or one; then OPTION=VALUE of it");
  add_plugin_option(app);
  app.add_flag("--json", options->json, "print JSON");
  app.footer(
      "Each thing is tried in a process of its own, with small models on images of noise. A fault "
      "is exit code 6.\n"
      "  runner check build/my_parts.so\n"
      "  runner check mlp geglu ratio=2 --plugin build/my_parts.so");
  return [options] { return check(*options); };
}

}  // namespace vitrine

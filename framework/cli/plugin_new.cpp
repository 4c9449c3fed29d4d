#include "framework/cli/plugin_new.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <map>
#include <sstream>

#include "framework/cli/terminal.h"
#include "framework/cli/verbs.h"
#include "framework/config/node.h"
#include "framework/config/scalar.h"
#include "framework/engine/engine.h"
#include "framework/files/file.h"
#include "framework/registry/plugin.h"
#include "framework/registry/registry.h"

namespace vitrine {

namespace fs = std::filesystem;

namespace {

struct NewPlugin {
  std::string kind, name, folder;
};

constexpr size_t kMostLetters = 64;  // of a name, which is one of runs and files as well

// Names of targets that CMake, or its test and packaging programs, keep for themselves.
constexpr std::string_view kTargets[] = {"all",        "clean",
                                         "edit_cache", "help",
                                         "install",    "list_install_components",
                                         "package",    "package_source",
                                         "preinstall", "rebuild_cache",
                                         "test"};

std::vector<std::string> kinds_with_text() {
  std::vector<std::string> out;
  for (const PluginText& text : plugin_texts()) {
    if (text.file == "example.cpp") out.emplace_back(text.folder);
  }
  return out;
}

void require_kind_with_text(const std::string& kind) {
  const auto kinds = kinds_with_text();
  if (std::find(kinds.begin(), kinds.end(), kind) != kinds.end()) return;
  const std::string near = nearest_names(kind, kinds);
  throw Error(ExitCode::kUsage,
              fmt::format("there is no kind \"{}\"{}; there are {}", escape(kind),
                          near.empty() ? "" : fmt::format(" (did you mean {}?)", near),
                          fmt::join(kinds, ", ")));
}

bool is_identifier(const std::string& name) {
  const auto is_in = [](char letter) {
    return std::isalnum(static_cast<unsigned char>(letter)) || letter == '_';
  };
  return std::all_of(name.begin(), name.end(), is_in) &&
         std::isalpha(static_cast<unsigned char>(name[0]));
}

// The name becomes that of a file, of a class, of a target of CMake and a word of a config.
void require_name(const std::string& name) {
  const auto refuse = [&](const std::string& why) {
    throw Error(ExitCode::kUsage, fmt::format("the name \"{}\" {}", escape(name), why));
  };
  if (name.empty() || !is_identifier(name))
    refuse("cannot be a component's: letters, digits and _, a letter first, such as my_mlp");
  if (name.size() > kMostLetters)
    refuse(fmt::format("is too long: at most {} letters", kMostLetters));
  if (to_flow_yaml(Node::string(name)) != name) refuse("means something else in a config");
  if (std::find(std::begin(kTargets), std::end(kTargets), name) != std::end(kTargets) ||
      name.starts_with("vitrine_"))
    refuse("is taken in CMake");
}

void require_free(const NewPlugin& plugin, const fs::path& folder) {
  engine();
  if (const Component* taken = Registry::instance().find(plugin.kind, plugin.name)) {
    throw Error(ExitCode::kUsage,
                fmt::format("the {} \"{}\" is there already: {}; choose another name", plugin.kind,
                            plugin.name, escape(taken->origin())));
  }
  if (vitrine::exists(folder))
    throw Error(ExitCode::kUsage,
                fmt::format("{} exists already; name another folder with --folder",
                            escape(folder.string())));
}

// "my_mlp" -> "MyMlp"
std::string camel_case(const std::string& name) {
  std::string out;
  for (size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '_') continue;
    const bool begins = i == 0 || name[i - 1] == '_';
    out += begins ? static_cast<char>(std::toupper(static_cast<unsigned char>(name[i]))) : name[i];
  }
  return out;
}

using Replacements = std::vector<std::pair<std::string, std::string>>;

// In one go, so that nothing is replaced in what was put in.
std::string replaced(std::string_view text, const Replacements& replacements) {
  std::string out;
  while (!text.empty()) {
    const auto found =
        std::find_if(replacements.begin(), replacements.end(),
                     [&](const auto& replacement) { return text.starts_with(replacement.first); });
    const bool is_found = found != replacements.end();
    out += is_found ? found->second : std::string(1, text[0]);
    text.remove_prefix(is_found ? found->first.size() : 1);
  }
  return out;
}

// For a text of CMake in quotes.
std::string cmake_text(const std::string& path) {
  std::string out;
  for (const char letter : path) {
    if (letter == '\\' || letter == '"' || letter == '$') out += '\\';
    out += letter;
  }
  return out;
}

// How a shell finds this program: "runner" where that is it, else its path.
std::string this_program() {
  std::error_code error;
  const fs::path own = fs::read_symlink("/proc/self/exe", error);
  const char* path = std::getenv("PATH");
  std::istringstream folders(path ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const fs::path there = fs::path(folder) / "runner";
    if (!fs::exists(there, error)) continue;
    if (fs::equivalent(there, own, error)) return "runner";
    break;
  }
  return shell_word(own.string());
}

// What the templates have in the place of what is the new plug-in's own.
Replacements replacements_for(const NewPlugin& plugin) {
  return {{"example", plugin.name},
          {"Example", camel_case(plugin.name)},
          {"KIND", plugin.kind},
          {"VITRINE_FOLDER", cmake_text((library_folder() / "cmake").string())},
          {"\nrunner ", "\n" + this_program() + " "}};
}

// Nothing is left of a folder that could not be filled.
void write_files(const fs::path& folder, const std::map<std::string, std::string>& files) {
  const Folder made = Folder::make(folder);
  try {
    for (const auto& [name, text] : files) write_file_atomically(made / name, text);
  } catch (...) {
    for (const auto& [name, text] : files) remove_file(made / name);
    remove_empty_folder(folder);
    throw;
  }
}

ExitCode plugin_new(const NewPlugin& plugin) {
  require_kind_with_text(plugin.kind);
  require_name(plugin.name);
  const fs::path folder = plugin.folder.empty() ? plugin.name : plugin.folder;
  require_free(plugin, folder);
  std::map<std::string, std::string> files;
  std::string names;
  const Replacements replacements = replacements_for(plugin);
  for (const PluginText& text : plugin_texts()) {
    if (text.folder != plugin.kind && text.folder != "project") continue;
    files[replaced(text.file, replacements)] = replaced(text.text, replacements);
  }
  for (const auto& [name, text] : files) names += (names.empty() ? "" : ", ") + name;
  write_files(folder, files);
  print(fmt::format("wrote {}: {}\nREADME.md there tells how it is built, checked and used",
                    escape(folder.string()), names));
  return ExitCode::kDone;
}

}  // namespace

Action plugin_verb(CLI::App& app) {
  auto options = std::make_shared<NewPlugin>();
  CLI::App* made = app.add_subcommand(
      "new", "a folder with a component of one's own, that builds, and a config that uses it");
  made->set_help_flag("-h,--help", "print this help");
  made->add_option("KIND", options->kind, "what it is, such as mlp: runner list")->required();
  made->add_option("NAME", options->name, "what configs call it")->required();
  made->add_option("--folder", options->folder, "the new folder; default NAME")
      ->transform(path_option())
      ->check([](const std::string& text) {
        return text.empty() ? std::string("expected a folder, got an empty text") : std::string();
      });
  app.require_subcommand(1);
  return [options] { return plugin_new(*options); };
}

}  // namespace vitrine

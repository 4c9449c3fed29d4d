#include "framework/registry/given_plugins.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "framework/error.h"
#include "framework/files/paths.h"
#include "framework/registry/library_notes.h"
#include "framework/registry/plugin.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

fs::path true_path(const fs::path& file) {
  std::error_code error;
  const fs::path out = fs::weakly_canonical(fs::absolute(file, error), error);
  return error ? file : out;
}

// As it was built; empty where that cannot be read.
std::string name_of_plugin(const fs::path& file) {
  try {
    return read_library_notes(file).name;
  } catch (const Error&) {
    return "";
  }
}

void warn_of_replaced(const fs::path& file, const std::string& why) {
  static std::set<fs::path> told;
  if (!told.insert(file).second) return;
  warn_of_plugin(
      fmt::format("plug-in {}: {} --plugin has the one that is taken", escape(file.string()), why));
}

// Whether one that the command line names is loaded in the place of this one.
bool is_replaced(const fs::path& file) {
  const auto& given = given_plugins();
  if (given.empty()) return false;
  const auto is_it = [&](const std::string& other) { return true_path(other) == true_path(file); };
  if (std::any_of(given.begin(), given.end(), is_it)) return false;
  std::error_code error;
  if (!fs::exists(file, error) && !error) {
    warn_of_replaced(file, "no such file;");
    return true;
  }
  const std::string name = name_of_plugin(file);
  const auto is_called_so = [&](const std::string& other) { return name_of_plugin(other) == name; };
  if (name.empty() || std::none_of(given.begin(), given.end(), is_called_so)) return false;
  warn_of_replaced(file, "left out, as");
  return true;
}

}  // namespace

std::vector<std::string>& given_plugins() {
  static std::vector<std::string> given;
  return given;
}

void load_given_plugins() {
  for (const std::string& file : given_plugins()) load_plugin(file);
}

std::vector<std::string> load_plugins(const std::vector<std::string>& named) {
  std::vector<std::string> out;
  std::set<fs::path> known;
  const auto take = [&](const fs::path& file) {
    load_plugin(file);
    if (known.insert(true_path(file)).second)
      out.push_back(fs::absolute(file).lexically_normal().string());
  };
  for (const std::string& text : named) {
    const fs::path file = expand_home(text);
    if (!is_replaced(file)) take(file);
  }
  for (const std::string& file : given_plugins()) take(file);
  return out;
}

Location place_of_given_plugins() {
  static const auto source = std::make_shared<const Source>(Source{
      "command line", {fmt::format("--plugin {}", fmt::join(given_plugins(), " --plugin "))}});
  return {source, 0, 0};
}

}  // namespace vitrine

#include "framework/sweeps/launch_environment.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "framework/error.h"

namespace vitrine {
namespace {

// VITRINE_: data and certificates; the rest chooses libraries, or the instructions they use.
constexpr std::string_view kPrefixes[] = {"VITRINE_", "MKL_",  "KMP_",    "ATEN_",
                                          "ONEDNN_",  "DNNL_", "CUBLAS_", "TORCH_"};
constexpr std::string_view kNames[] = {"XDG_CACHE_HOME", "LD_LIBRARY_PATH", "NVIDIA_TF32_OVERRIDE"};
// How a process is started, and the build.
constexpr std::string_view kOthers[] = {"VITRINE_PARENT", "VITRINE_BATCH", "VITRINE_BUILD"};

std::vector<std::string> names_that_matter() {
  std::vector<std::string> out;
  for (char** entry = environ; *entry; ++entry) {
    const std::string_view text = *entry;
    const std::string_view name = text.substr(0, text.find('='));
    if (LaunchEnvironment::matters(name)) out.emplace_back(name);
  }
  return out;
}

}  // namespace

bool LaunchEnvironment::matters(std::string_view name) {
  const auto is_name = [&](std::string_view other) { return name == other; };
  if (std::any_of(std::begin(kOthers), std::end(kOthers), is_name)) return false;
  return std::any_of(std::begin(kNames), std::end(kNames), is_name) ||
         std::any_of(std::begin(kPrefixes), std::end(kPrefixes),
                     [&](std::string_view prefix) { return name.starts_with(prefix); });
}

LaunchEnvironment LaunchEnvironment::here() {
  LaunchEnvironment out{std::filesystem::current_path(), Variables()};
  for (const std::string& name : names_that_matter())
    out.variables->emplace(name, std::getenv(name.c_str()));
  return out;
}

std::vector<std::string> LaunchEnvironment::assignments() const {
  std::vector<std::string> out;
  for (const auto& [name, value] : variables.value_or(Variables())) {
    out.push_back(name + "=" + value);
  }
  return out;
}

void LaunchEnvironment::set_variables() const {
  if (!variables) return;
  for (const std::string& name : names_that_matter()) unsetenv(name.c_str());
  for (const auto& [name, value] : *variables) setenv(name.c_str(), value.c_str(), 1);
}

std::string LaunchEnvironment::script() const {
  if (!variables) return "";
  std::string out = "unset";
  for (const std::string_view name : kNames) out += " " + std::string(name);
  for (const std::string_view prefix : kPrefixes) out += " ${!" + std::string(prefix) + "*}";
  out += '\n';
  for (const auto& [name, value] : *variables) {
    out += "export " + name + "=" + shell_word(value) + "\n";
  }
  return out;
}

}  // namespace vitrine

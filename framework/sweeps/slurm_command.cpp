#include "framework/sweeps/slurm_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "framework/error.h"
#include "framework/sweeps/slurm_options.h"

namespace vitrine {
namespace {

// Which Slurm, and who asks; all else that begins so tells of a job that this process runs in, or
// has Slurm's commands show less or otherwise.
constexpr std::string_view kKept[] = {"SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_JWT"};
constexpr std::string_view kFilters[] = {"SLURM_", "SQUEUE_", "SCONTROL_", "SINFO_"};

bool is_inherited(std::string_view name) {
  if (std::find(std::begin(kKept), std::end(kKept), name) != std::end(kKept)) return true;
  const bool filters =
      std::any_of(std::begin(kFilters), std::end(kFilters),
                  [&](std::string_view prefix) { return name.starts_with(prefix); });
  return !filters && !SlurmOptions::is_own_variable(name);
}

std::string trimmed(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \n"), end = text.find_last_not_of(" \n");
  return begin == text.npos ? "" : text.substr(begin, end + 1 - begin);
}

std::optional<CommandResult> answer(std::vector<std::string> words) {
  auto result = run_command({.words = std::move(words), .inherits = is_inherited});
  return result && result->code == 0 ? result : std::nullopt;
}

}  // namespace

CommandResult slurm_command(std::vector<std::string> words) {
  const std::string program = words[0];
  if (auto result = run_command({.words = std::move(words), .inherits = is_inherited}))
    return *result;
  throw Error(ExitCode::kFailed, program +
                                     " was not found on the PATH: sweeps with the launcher slurm "
                                     "need Slurm's commands; --launcher local runs here");
}

std::string complaint(const CommandResult& result) {
  const std::string text = escape_lines(trimmed(result.errors + result.output));
  return text.empty() ? fmt::format("exit code {}", result.code) : text;
}

std::optional<std::string> slurm_setting(const std::string& name) {
  const auto config = answer({"scontrol", "show", "config"});
  std::istringstream lines(config ? config->output : "");
  for (std::string line; std::getline(lines, line);) {
    const size_t equals = line.find('=');
    if (equals != line.npos && trimmed(line.substr(0, equals)) == name)
      return trimmed(line.substr(equals + 1));
  }
  return std::nullopt;
}

std::optional<std::string> partition_setting(const std::string& partition,
                                             const std::string& name) {
  std::vector<std::string> words = {"scontrol", "--all", "--oneliner", "show", "partition"};
  if (!partition.empty()) words.push_back(partition);
  const auto result = answer(std::move(words));
  std::istringstream lines(result ? result->output : "");
  for (std::string line; std::getline(lines, line);) {
    std::optional<std::string> out;
    bool is_wanted = !partition.empty();
    std::istringstream items(line);
    for (std::string item; items >> item;) {
      is_wanted |= item == "Default=YES";
      if (item.starts_with(name + "=")) out = item.substr(name.size() + 1);
    }
    if (is_wanted) return out;
  }
  return std::nullopt;
}

}  // namespace vitrine

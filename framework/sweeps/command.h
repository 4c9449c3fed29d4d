#pragma once

#include <optional>
#include <string>
#include <vector>

namespace vitrine {

struct CommandResult {
  int code = 0;                // 128 + the signal's number where one ended it
  std::string output, errors;  // standard output and standard error
};

// Runs a program that PATH finds to its end, without a shell. None: there is no such program.
// Throws Error(kFailed) where it cannot be started.
std::optional<CommandResult> run_command(std::vector<std::string> words);

}  // namespace vitrine

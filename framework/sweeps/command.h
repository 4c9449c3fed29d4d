#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine {

// A program to start: without a shell, its standard input empty, its signals as if started anew.
struct Command {
  std::vector<std::string> words;  // the program, a path or what PATH finds, and its arguments
  std::vector<std::string> variables = {};  // "NAME=value", besides those of this process
  bool own_group = false;  // a process group of its own, which Ctrl-C does not reach
  // Which variables of this process it gets; null: all.
  bool (*inherits)(std::string_view name) = nullptr;
  std::string directory = {};  // that it starts in; empty: this process's
};

// Starts it, writing to these descriptors. None: there is no such program. Throws Error(kFailed)
// where it cannot be started.
std::optional<pid_t> start_command(Command command, int output, int errors);

struct CommandResult {
  int code = 0;                // 128 + the signal's number where one ended it
  std::string output, errors;  // standard output and standard error
};

// Runs a command to its end. None and throws: as start_command.
std::optional<CommandResult> run_command(Command command);

}  // namespace vitrine

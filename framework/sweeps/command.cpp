#include "framework/sweeps/command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "framework/error.h"
#include "framework/files/descriptor.h"

namespace vitrine {
namespace {

// The variables of this process that the command inherits, with some replaced.
std::vector<std::string> environment_of(const Command& command) {
  std::vector<std::string> out = command.variables;
  for (char** entry = environ; *entry; ++entry) {
    const std::string text = *entry;
    const std::string name = text.substr(0, text.find('='));
    const auto replaces = [&](const std::string& other) { return other.starts_with(name + "="); };
    const bool is_replaced =
        std::any_of(command.variables.begin(), command.variables.end(), replaces);
    if (!is_replaced && (!command.inherits || command.inherits(name))) out.push_back(text);
  }
  return out;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

// Takes what a program writes, however much, without anybody reading meanwhile.
class Catcher {
 public:
  Catcher() : file_(memfd_create("output", MFD_CLOEXEC)) {
    if (file_.get() >= 0) return;
    throw Error(ExitCode::kFailed, fmt::format("cannot catch a program's output: {}",
                                               std::generic_category().message(errno)));
  }
  int descriptor() const { return file_.get(); }
  std::string text() const {
    std::string out(static_cast<size_t>(lseek(file_.get(), 0, SEEK_END)), '\0');
    const ssize_t count = pread(file_.get(), out.data(), out.size(), 0);
    out.resize(count < 0 ? 0 : static_cast<size_t>(count));
    return out;
  }

 private:
  Descriptor file_;
};

}  // namespace

std::optional<pid_t> start_command(Command command, int output, int errors) {
  std::vector<std::string> variables = environment_of(command);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, 1);
  posix_spawn_file_actions_adddup2(&actions, errors, 2);
  if (!command.directory.empty())
    posix_spawn_file_actions_addchdir_np(&actions, command.directory.c_str());
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t defaults;
  sigemptyset(&defaults);
  for (const int signal : {SIGPIPE, SIGXFSZ, SIGHUP}) sigaddset(&defaults, signal);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  const int group = command.own_group ? POSIX_SPAWN_SETPGROUP : 0;
  posix_spawnattr_setflags(&attributes, static_cast<int16_t>(POSIX_SPAWN_SETSIGDEF | group));
  pid_t id = 0;
  const int failure = posix_spawnp(&id, command.words[0].c_str(), &actions, &attributes,
                                   pointers(command.words).data(), pointers(variables).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (failure == 0) return id;
  if (failure == ENOENT) return std::nullopt;
  throw Error(ExitCode::kFailed, fmt::format("cannot start {}: {}", escape(command.words[0]),
                                             std::generic_category().message(failure)));
}

std::optional<CommandResult> run_command(Command command) {
  const Catcher output, errors;
  const auto id = start_command(std::move(command), output.descriptor(), errors.descriptor());
  if (!id) return std::nullopt;
  int status = 0;
  while (waitpid(*id, &status, 0) < 0 && errno == EINTR) {
  }
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return CommandResult{code, output.text(), errors.text()};
}

}  // namespace vitrine

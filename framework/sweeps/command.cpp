#include "framework/sweeps/command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "framework/error.h"
#include "framework/files/descriptor.h"

extern char** environ;

namespace vitrine {
namespace {

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

std::optional<CommandResult> run_command(std::vector<std::string> words) {
  const Catcher output, errors;
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output.descriptor(), 1);
  posix_spawn_file_actions_adddup2(&actions, errors.descriptor(), 2);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t defaults;
  sigemptyset(&defaults);
  for (const int signal : {SIGPIPE, SIGXFSZ}) sigaddset(&defaults, signal);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  pid_t id = 0;
  const int failure =
      posix_spawnp(&id, arguments[0], &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (failure == ENOENT) return std::nullopt;
  if (failure != 0) {
    throw Error(ExitCode::kFailed, fmt::format("cannot start {}: {}", escape(words[0]),
                                               std::generic_category().message(failure)));
  }
  int status = 0;
  while (waitpid(id, &status, 0) < 0 && errno == EINTR) {
  }
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return CommandResult{code, output.text(), errors.text()};
}

}  // namespace vitrine

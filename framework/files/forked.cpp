#include "framework/files/forked.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "framework/error.h"
#include "framework/files/descriptor.h"

namespace vitrine {
namespace {

void prepare_child() {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  dup2(null, STDOUT_FILENO);
  dup2(null, STDERR_FILENO);
  const rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTERM, SIGINT})
    ::signal(signal, SIG_DFL);
}

// All that it writes until it ends; false where that takes too long.
bool read_report(int from, int seconds, std::string& out) {
  char buffer[4096];
  for (;;) {
    pollfd waiting = {from, POLLIN, 0};
    const int ready = poll(&waiting, 1, seconds * 1000);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    const ssize_t got = read(from, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return true;
    out.append(buffer, static_cast<size_t>(got));
  }
}

}  // namespace

std::string Forked::ending(bool is_plural) const {
  if (!has_ended) return is_plural ? "do not end" : "does not end";
  if (WIFSIGNALED(status))
    return fmt::format("{}: {}", is_plural ? "crash" : "crashes", strsignal(WTERMSIG(status)));
  return fmt::format("{} the process with exit code {}", is_plural ? "end" : "ends",
                     WEXITSTATUS(status));
}

Forked run_forked(const std::string& what, int seconds,
                  const std::function<void(int report)>& work) {
  int ends[2];
  const bool is_open = pipe2(ends, O_CLOEXEC) == 0;
  const Descriptor reading(is_open ? ends[0] : -1);
  Descriptor writing(is_open ? ends[1] : -1);
  const pid_t child = is_open ? fork() : -1;
  if (child < 0) {
    throw Error(ExitCode::kFailed, fmt::format("{} in a process of its own: {}", what,
                                               std::generic_category().message(errno)));
  }
  if (child == 0) {
    prepare_child();
    work(writing.get());
    _exit(0);
  }
  writing = Descriptor();
  Forked out;
  out.has_ended = read_report(reading.get(), seconds, out.text);
  if (!out.has_ended) kill(child, SIGKILL);
  while (waitpid(child, &out.status, 0) < 0 && errno == EINTR) {
  }
  return out;
}

}  // namespace vitrine

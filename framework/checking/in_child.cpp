#include "framework/checking/in_child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <system_error>

#include "framework/error.h"
#include "framework/files/descriptor.h"

namespace vitrine {
namespace {

constexpr int kMostSeconds = 120;

// The kind as a letter, then the words.
std::string text_of(const Finding& finding) {
  return static_cast<char>('0' + static_cast<int>(finding.kind)) + finding.words;
}

Finding finding_of(const std::string& text) {
  return {"", static_cast<Finding::Kind>(text[0] - '0'), text.substr(1)};
}

[[noreturn]] void work(const std::function<Finding()>& act, int report) {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  dup2(null, STDOUT_FILENO);
  dup2(null, STDERR_FILENO);
  const rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTERM, SIGINT})
    ::signal(signal, SIG_DFL);
  Finding found;
  try {
    found = act();
  } catch (const std::exception& error) {
    found = Finding::fault(error.what());
  } catch (...) {
    found = Finding::fault("an exception that is no std::exception");
  }
  write_all(report, text_of(found));
  _exit(0);
}

// All that a child writes; false where it takes too long.
bool read_all(int from, std::string& out) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(kMostSeconds);
  char buffer[4096];
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    pollfd waiting = {from, POLLIN, 0};
    const int ready = poll(&waiting, 1, std::max<int>(static_cast<int>(left.count()), 0));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    const ssize_t got = read(from, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return true;
    out.append(buffer, static_cast<size_t>(got));
  }
}

}  // namespace

Finding in_child(const std::function<Finding()>& act) {
  int ends[2];
  const bool is_open = pipe2(ends, O_CLOEXEC) == 0;
  const Descriptor reading(is_open ? ends[0] : -1);
  Descriptor writing(is_open ? ends[1] : -1);
  const pid_t child = is_open ? fork() : -1;
  if (child < 0) {
    throw Error(ExitCode::kFailed, fmt::format("cannot try a component in a process of its own: {}",
                                               std::generic_category().message(errno)));
  }
  if (child == 0) work(act, writing.get());
  writing = Descriptor();
  std::string text;
  const bool has_ended = read_all(reading.get(), text);
  if (!has_ended) kill(child, SIGKILL);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!text.empty()) return finding_of(text);
  if (!has_ended) return Finding::fault(fmt::format("it does not end within {} s", kMostSeconds));
  if (WIFSIGNALED(status))
    return Finding::fault(fmt::format("it crashes: {}", strsignal(WTERMSIG(status))));
  return Finding::fault(fmt::format("it ends the process with exit code {}", WEXITSTATUS(status)));
}

}  // namespace vitrine

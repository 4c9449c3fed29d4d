#include "framework/registry/trial_load.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <system_error>

#include "framework/error.h"
#include "framework/files/descriptor.h"

namespace vitrine {
namespace {

constexpr const char* kSound = "+";  // what the child says where nothing is wrong
constexpr int kMostMilliseconds = 60'000;

int report = -1;  // where the child tells its parent

[[noreturn]] void tell(const std::string& words) {
  write_all(report, words);
  _exit(0);
}

[[noreturn]] void tell_exception() {
  try {
    if (std::current_exception()) throw;
  } catch (const std::exception& error) {
    tell("its constructors throw: " + escape(std::string(error.what()).substr(0, 2000)));
  } catch (...) {
    tell("its constructors throw what is no std::exception");
  }
  tell("its constructors call std::terminate");
}

void tell_exit(int code, void*) {
  tell(fmt::format("its constructors end the process with exit code {}", code));
}

[[noreturn]] void load_in_child(const std::filesystem::path& library, int mode) {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  dup2(null, STDOUT_FILENO);
  dup2(null, STDERR_FILENO);
  const rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTERM, SIGINT})
    ::signal(signal, SIG_DFL);
  on_exit(tell_exit, nullptr);  // before what other libraries do at the end
  std::set_terminate(tell_exception);
  // It is declared not to throw, and constructors that it calls do so all the same.
  void* (*volatile load)(const char*, int) = dlopen;
  try {
    load(library.c_str(), mode);
  } catch (...) {
    tell_exception();
  }
  tell(kSound);
}

// What the child writes until it ends; it is killed where that takes too long.
std::string words_of(pid_t child, int from) {
  std::string out;
  char buffer[4096];
  for (;;) {
    pollfd waiting = {from, POLLIN, 0};
    const int ready = poll(&waiting, 1, kMostMilliseconds);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) {
      kill(child, SIGKILL);
      return "its constructors do not end";
    }
    const ssize_t got = read(from, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return out;
    out.append(buffer, static_cast<size_t>(got));
  }
}

}  // namespace

std::string failure_of_loading(const std::filesystem::path& library, int mode) {
  int ends[2];
  const bool is_open = pipe2(ends, O_CLOEXEC) == 0;
  const Descriptor reading(is_open ? ends[0] : -1);
  Descriptor writing(is_open ? ends[1] : -1);
  const pid_t child = is_open ? fork() : -1;
  if (child < 0) {
    throw Error(ExitCode::kFailed,
                fmt::format("cannot try the plug-in {} in a process of its own: {}",
                            escape(library.string()), std::generic_category().message(errno)));
  }
  if (child == 0) {
    report = writing.get();
    load_in_child(library, mode);
  }
  writing = Descriptor();
  std::string words = words_of(child, reading.get());
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (words == kSound) return "";
  if (!words.empty()) return words;
  if (WIFSIGNALED(status))
    return fmt::format("its constructors crash: {}", strsignal(WTERMSIG(status)));
  return fmt::format("its constructors end the process with exit code {}", WEXITSTATUS(status));
}

}  // namespace vitrine

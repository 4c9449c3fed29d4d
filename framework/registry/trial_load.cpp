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

#include "framework/config/yaml.h"
#include "framework/error.h"
#include "framework/files/descriptor.h"
#include "framework/registry/foreign_definition.h"
#include "framework/registry/registry.h"

namespace vitrine {
namespace {

constexpr const char* kSound = "+";    // what the child says where nothing is wrong
constexpr char kDoing = ':';           // begins a line that names what runs now
constexpr const char* kEndless = "-";  // where it does not end
constexpr int kMostMilliseconds = 60'000;

int report = -1;                         // where the child tells its parent
std::string doing = "its constructors";  // what runs now; a plural

[[noreturn]] void tell(const std::string& words) {
  write_all(report, words);
  _exit(0);
}

[[noreturn]] void tell_exception() {
  try {
    if (std::current_exception()) throw;
  } catch (const std::exception& error) {
    tell(doing + " throw: " + escape(std::string(error.what()).substr(0, 2000)));
  } catch (...) {
    tell(doing + " throw what is no std::exception");
  }
  tell(doing + " call std::terminate");
}

void tell_exit(int code, void*) {
  tell(fmt::format("{} end the process with exit code {}", doing, code));
}

void prepare_child() {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  dup2(null, STDOUT_FILENO);
  dup2(null, STDERR_FILENO);
  const rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTERM, SIGINT})
    ::signal(signal, SIG_DFL);
  on_exit(tell_exit, nullptr);  // before what other libraries do at the end
  std::set_terminate(tell_exception);
}

// Whoever lists a component, or reads a config that could choose it, does so, and tells what that
// throws.
void list_options(const Component& component) try {
  doing = fmt::format("the options of its {} \"{}\"", component.kind, escape(component.name));
  write_all(report, kDoing + doing + "\n");
  const auto options = component.make_options();
  Fields fields;
  component.visit(options.get(), fields);
  Problems ignored;
  for (const Field& field : fields.list()) {
    field.value->read_default(field.name, ignored);
    to_flow_yaml(field.value->write());
  }
  schema_of_fields(fields);
} catch (...) {
}

[[noreturn]] void load_in_child(const std::vector<std::filesystem::path>& libraries, int mode) {
  prepare_child();
  const Registry& registry = Registry::instance();
  const size_t before = registry.size();
  // It is declared not to throw, and constructors that it calls do so all the same.
  void* (*volatile load)(const char*, int) = dlopen;
  try {
    bool is_loaded = true;
    for (const auto& library : libraries) is_loaded = load(library.c_str(), mode) != nullptr;
    if (!is_loaded) tell(kSound);
    const std::string foreign = definition_of_vitrine(libraries.back());
    if (!foreign.empty())
      tell(
          fmt::format("defines {}, which Vitrine defines as well: what is a file's own stands in "
                      "an unnamed namespace",
                      escape(foreign)));
    for (size_t i = before; i < registry.size(); ++i) list_options(*registry.components()[i]);
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
      return out + kEndless;
    }
    const ssize_t got = read(from, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return out;
    out.append(buffer, static_cast<size_t>(got));
  }
}

}  // namespace

std::string failure_of_loading(const std::vector<std::filesystem::path>& libraries, int mode) {
  int ends[2];
  const bool is_open = pipe2(ends, O_CLOEXEC) == 0;
  const Descriptor reading(is_open ? ends[0] : -1);
  Descriptor writing(is_open ? ends[1] : -1);
  const pid_t child = is_open ? fork() : -1;
  if (child < 0) {
    throw Error(
        ExitCode::kFailed,
        fmt::format("cannot try the plug-in {} in a process of its own: {}",
                    escape(libraries.back().string()), std::generic_category().message(errno)));
  }
  if (child == 0) {
    report = writing.get();
    load_in_child(libraries, mode);
  }
  writing = Descriptor();
  std::string words = words_of(child, reading.get());
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  std::string what = doing;
  while (words.starts_with(kDoing)) {
    const size_t end = std::min(words.find('\n'), words.size() - 1);
    what = words.substr(1, end - 1);
    words.erase(0, end + 1);
  }
  if (words == kSound) return "";
  if (words == kEndless) return what + " do not end";
  if (!words.empty()) return words;
  if (WIFSIGNALED(status)) return fmt::format("{} crash: {}", what, strsignal(WTERMSIG(status)));
  return fmt::format("{} end the process with exit code {}", what, WEXITSTATUS(status));
}

}  // namespace vitrine

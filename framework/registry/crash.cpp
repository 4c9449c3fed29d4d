#include "framework/registry/crash.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <charconv>

#include "framework/error.h"
#include "framework/files/descriptor.h"
#include "framework/registry/registry.h"

namespace vitrine {
namespace {

struct CrashTeller {
  int descriptor = -1;
  const char *before = "", *behind = "";
  const Running** of_main_thread = nullptr;
};
CrashTeller crash_teller;

const Running* running_here() {
  const Running* running = Running::innermost();
  return running ? running : *crash_teller.of_main_thread;
}

// Nothing here takes memory, which a crash may have left in disorder.
void tell_crash(const Running& running, const char* what, const char* which) {
  const Component& component = running.component();
  for (const char* words :
       {crash_teller.before, component.kind.c_str(), " \"", component.name.c_str(), "\" (",
        component.place.c_str(), "), ", running.phase(), ": ", what, which, crash_teller.behind})
    write_all(crash_teller.descriptor, words);
  _exit(static_cast<int>(code_of_failure(component)));
}

extern "C" void note_crash(int signal) {
  if (const Running* running = running_here())
    tell_crash(*running, "crashes: ", sigdescr_np(signal));
  ::signal(signal, SIG_DFL);
  raise(signal);
}

void note_exit(int code, void*) {
  const Running* running = running_here();
  if (!running) return;
  char number[12] = {};
  std::to_chars(number, number + sizeof number - 1, code);
  tell_crash(*running, "ends the process with exit code ", number);
}

}  // namespace

void tell_crashes(int descriptor, const char* before, const char* behind) {
  Registry::instance();  // goes later than what is called as the process ends
  crash_teller = {descriptor, before, behind, &Running::innermost()};
  // A stack that is used up leaves no room for this.
  static char other_stack[1 << 16];
  const stack_t stack = {other_stack, 0, sizeof other_stack};
  sigaltstack(&stack, nullptr);
  struct sigaction action {};
  action.sa_handler = note_crash;
  action.sa_flags = SA_ONSTACK;
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT})
    sigaction(signal, &action, nullptr);
  on_exit(note_exit, nullptr);
}

}  // namespace vitrine

#pragma once

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <new>
#include <string>

#include "framework/error.h"
#include "tests/failpoints/failpoints.h"

namespace vitrine::failpoints {

// How a child process ended in which calls to the system failed, or which was killed at one.
struct Outcome {
  int code = 0;  // its exit code; of an Error that was thrown, that which goes with it
  bool killed = false;
  int64_t calls = 0;  // that counted
  std::string words;  // the message of the Error
};

// What a child leaves for its parent, in memory that both see.
struct Report {
  int64_t calls = 0;
  char words[4000] = {};
};

// Runs `act` in a copy of this process, in which no library has to be loaded and started anew. It
// must not have threads: those would be missing in the copy.
template <class Act>
Outcome in_child(const Plan& plan, const Act& act) {
  void* const shared =
      mmap(nullptr, sizeof(Report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  Report& report = *new (shared) Report;
  const pid_t child = fork();
  if (child == 0) {
    int code = 70;
    arm(plan);
    try {
      code = static_cast<int>(act());
    } catch (const Error& error) {
      code = static_cast<int>(error.code());
      std::string(error.what()).copy(report.words, sizeof report.words - 1);
    } catch (const std::exception& error) {
      std::string(error.what()).copy(report.words, sizeof report.words - 1);
    }
    disarm();
    report.calls = count();
    _exit(code);
  }
  int status = 0;
  waitpid(child, &status, 0);
  Outcome out;
  out.killed = WIFSIGNALED(status);
  out.code = out.killed ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  out.calls = report.calls;
  out.words = report.words;
  munmap(shared, sizeof(Report));
  return out;
}

}  // namespace vitrine::failpoints

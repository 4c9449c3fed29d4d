#pragma once

#include <cstdint>
#include <string>
#include <vector>

// Calls to the system that can be made to fail, or to end the process, one after the other. The
// library defines them in the place of those of the C library: a program that links it before that,
// or is started with it as LD_PRELOAD, calls these.
namespace vitrine::failpoints {

enum class Mode {
  kNothing,    // counts and records
  kError,      // the call fails, once
  kErrors,     // it fails, and so do all after it
  kKill,       // the process ends before the call
  kKillAfter,  // and behind it
  kPart,       // a write does half of its work, then the process ends
};

enum class Calls {
  kWrites,
  kReads,
  kFlock,
  kLocks,  // flock and locks by fcntl
};

struct Plan {
  std::string under;  // only what is about files below this folder counts; ends with a slash
  Calls calls = Calls::kWrites;
  Mode mode = Mode::kNothing;
  int64_t at = 0;  // counted from 1
  int code = 0;    // the errno of a failure
  bool records = false;
};

// Of the calls that count.
struct Call {
  std::string name, path;
  std::string other;   // the second path of a rename
  std::string bytes;   // of a write, where they are recorded
  int64_t offset = 0;  // of a write, or the length of a truncation
};

// Begins to count anew.
void arm(const Plan& plan);
void disarm();
int64_t count();
std::vector<Call> recorded();

}  // namespace vitrine::failpoints

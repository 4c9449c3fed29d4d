#pragma once

#include <chrono>
#include <csignal>
#include <string>
#include <vector>

#include "framework/error.h"

// What verbs share that go on while runs do.
namespace vitrine {

// Waits until `until`; false as soon as the program is asked to stop. Returns early where the
// terminal has changed its size. `for_reader`: a pipe that nobody reads any more ends the program,
// as the next write would.
bool wait_until(std::chrono::steady_clock::time_point until, bool for_reader);

// The next time to look, about a second from when a look began: a longer one where looking itself
// takes long.
std::chrono::steady_clock::time_point next_look(std::chrono::steady_clock::time_point begun);

// The whole terminal that standard output is, for as long as this lives; then what was there before
// is shown again.
class Screen {
 public:
  Screen();
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  void show(const std::vector<std::string>& lines);
  static size_t width();
  static size_t height();

 private:
  static void enter();
  static void leave();
};

}  // namespace vitrine

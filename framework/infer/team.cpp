// The kernel's threads, in a library that brings none of its own: they are started for a batch and
// end with it.
#include "framework/kernel/team.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "framework/denormals.h"

namespace vitrine {

struct Team::Arena {};

Team::Team() = default;
Team::~Team() = default;

// NOLINTNEXTLINE(readability-convert-member-functions-to-static): the engine's has threads to keep
void Team::run(size_t count, int threads, const Work& work) {
  std::atomic<size_t> next = 0;
  std::exception_ptr failure;
  std::mutex mutex;
  const auto run_some = [&](size_t thread) {
    try {
      for (size_t i = next++; i < count; i = next++) work(i, thread);
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
      next = count;
    }
  };
  const size_t others = std::min(static_cast<size_t>(threads), count) - 1;
  std::vector<std::thread> helpers;
  helpers.reserve(others);
  for (size_t i = 1; i <= others; ++i) {
    // What cannot be started is done by those that are there.
    try {
      helpers.emplace_back([&, i] {
        flush_denormals();
        run_some(i);
      });
    } catch (const std::system_error&) {
      break;
    }
  }
  run_some(0);
  for (std::thread& helper : helpers) helper.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace vitrine

#pragma once

#include <map>
#include <mutex>
#include <string>

namespace vitrine {

// Finds, while it lives, the operators of all threads whose result the CPU looks at, or that copy
// from one device to another. On a GPU they wait for all that was begun before. They are found by
// their names, on a CPU as well.
class WaitingOperators {
 public:
  WaitingOperators();
  WaitingOperators(const WaitingOperators&) = delete;
  WaitingOperators& operator=(const WaitingOperators&) = delete;
  ~WaitingOperators();

  std::map<std::string, int64_t> found() const;  // how often each was called

 private:
  uint64_t handle_;
};

}  // namespace vitrine

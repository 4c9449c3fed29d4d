#pragma once

#include <filesystem>

namespace vitrine {

// One runner a directory: flock on <run>/.lock, released by the destructor or by the death of the
// process. The file itself stays.
class RunLock {
 public:
  // Throws Error(kFailed), which tells who holds the lock and since when, or why it cannot be
  // taken.
  explicit RunLock(const std::filesystem::path& run);
  RunLock(RunLock&& other) noexcept;
  RunLock& operator=(RunLock&& other) noexcept;
  ~RunLock();

  static bool is_held(const std::filesystem::path& run);

 private:
  int descriptor_ = -1;
};

}  // namespace vitrine

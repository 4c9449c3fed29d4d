#pragma once

#include <filesystem>
#include <string>

#include "framework/files/place.h"

namespace vitrine {

// One runner a directory: flock on the directory itself, so that nobody is let in by removing a
// file, and on <run>/.lock, which tells who holds it. A file system without flock is asked for
// locks of open file descriptions (fcntl) on .lock. Released by the destructor or by the death of
// the process; the file stays.
class RunLock {
 public:
  // Throws Error(kFailed), which tells who holds the lock and since when, or why it cannot be
  // taken.
  explicit RunLock(const Folder& run);
  explicit RunLock(const std::filesystem::path& run) : RunLock(Folder::open(run)) {}

  // What is to be said where the file system has no locks at all, so that nothing keeps a second
  // runner out; empty where it has.
  const std::string& warning() const { return warning_; }

  static bool is_held(const Folder& run);
  // False where there is no such folder.
  static bool is_held(const std::filesystem::path& run);

 private:
  Descriptor directory_, file_;
  std::string warning_;
};

}  // namespace vitrine

#pragma once

#include <filesystem>

#include "framework/sweeps/launch_environment.h"

namespace vitrine {

// Lets this process see what a sweep's trials see: relative paths of its configs count from where
// it was begun, and its variables stay. Throws Error(kFailed) where that folder cannot be entered.
class ScopedLaunchEnvironment {
 public:
  explicit ScopedLaunchEnvironment(const LaunchEnvironment& environment);
  ScopedLaunchEnvironment(const ScopedLaunchEnvironment&) = delete;
  ScopedLaunchEnvironment& operator=(const ScopedLaunchEnvironment&) = delete;
  ~ScopedLaunchEnvironment();  // back to the folder before

 private:
  std::filesystem::path before_;
};

}  // namespace vitrine

#pragma once

#include <filesystem>

#include "framework/sweeps/surroundings.h"

namespace vitrine {

// Lets this process see what a sweep's trials see: relative paths of its configs count from where
// it was begun, and its variables stay. Throws Error(kFailed) where that folder cannot be entered.
class InSurroundings {
 public:
  explicit InSurroundings(const SweepSurroundings& surroundings);
  InSurroundings(const InSurroundings&) = delete;
  InSurroundings& operator=(const InSurroundings&) = delete;
  ~InSurroundings();  // back to the folder before

 private:
  std::filesystem::path before_;
};

}  // namespace vitrine

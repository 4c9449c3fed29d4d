#pragma once

#include <filesystem>

#include "framework/files/descriptor.h"

namespace vitrine {

// A folder of its own below TMPDIR, gone afterwards; of a process that was killed the next one on
// this machine removes it.
class ScratchFolder {
 public:
  // `what` names what it is for in messages. Throws Error(kFailed).
  explicit ScratchFolder(const char* what);
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder();
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  Descriptor lock_;  // a sign that it is not forgotten
};

}  // namespace vitrine

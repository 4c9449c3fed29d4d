#pragma once

#include <filesystem>

namespace vitrine {

// A folder of its own below TMPDIR, gone afterwards.
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
};

}  // namespace vitrine

#pragma once

#include <filesystem>
#include <string_view>

#include "framework/files/descriptor.h"

namespace vitrine {

// A file that is written beside `destination` and takes its place in one step, or vanishes. Every
// failure is an Error(kFailed) "cannot write <destination>: <reason>".
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::filesystem::path& destination);
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile();  // deletes the temporary if it was not committed

  void write(std::string_view bytes);
  void commit();  // fsync, rename, fsync of the folder

 private:
  std::filesystem::path destination_;
  std::filesystem::path path_;  // empty once it was renamed
  Descriptor folder_;
  Descriptor file_;
};

}  // namespace vitrine

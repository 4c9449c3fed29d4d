#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "framework/files/descriptor.h"

namespace vitrine {

// The whole of a regular file. Throws Error(kData), which names the path and the reason, when it is
// missing, unreadable or longer than `limit` bytes.
std::string read_file(const std::filesystem::path& path, uint64_t limit);

// The first `count` bytes of a regular file (fewer where it is shorter), and how long it is. Throws
// as read_file does.
struct FileStart {
  std::string bytes;
  uint64_t size = 0;  // of the whole file
};
FileStart read_file_start(const std::filesystem::path& path, uint64_t count);

// `count` bytes from `offset` on; fewer, or none, where the file ends before. Throws as read_file
// does.
std::string read_file_part(const std::filesystem::path& path, uint64_t offset, uint64_t count);

// Replaces `path` by `bytes` so that a reader, a crash or a full disk sees the old file or the new
// one, never a part: temporary in the same folder, fsync, rename, fsync of the folder. Throws
// Error(kFailed) and leaves no temporary behind.
void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

// Deletes what atomic writes and downloads left in `folder` when their process was killed. Only for
// a folder that nobody else is writing to.
void remove_temporaries(const std::filesystem::path& folder);

// A file that grows at its end, made if absent. Every failure is an Error(kFailed) that names the
// path.
class AppendFile {
 public:
  explicit AppendFile(const std::filesystem::path& path);
  static AppendFile open(const std::filesystem::path& path) { return AppendFile(path); }

  void append(std::string_view bytes);  // all of it or, on a full disk, nothing
  void flush();                         // to the disk (fsync)
  uint64_t size() const;
  void truncate(uint64_t size);  // cuts back to `size` bytes, which must not be more than there are

 private:
  std::filesystem::path path_;
  Descriptor file_;
};

}  // namespace vitrine

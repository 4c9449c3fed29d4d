#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "framework/files/place.h"

namespace vitrine {

// The whole of a regular file. Throws Error(kData), which names the path and the reason, when it is
// missing, unreadable or longer than `limit` bytes.
std::string read_file(const Place& place, uint64_t limit);

// The first `count` bytes of a regular file (fewer where it is shorter), and how long it is. Throws
// as read_file does.
struct FileStart {
  std::string bytes;
  uint64_t size = 0;  // of the whole file
};
FileStart read_file_start(const Place& place, uint64_t count);

// `count` bytes from `offset` on; fewer, or none, where the file ends before. Throws as read_file
// does.
std::string read_file_part(const Place& place, uint64_t offset, uint64_t count);

// A regular file whose parts are read in any order, on several threads at once. Throws as read_file
// does.
class OpenFile {
 public:
  explicit OpenFile(const Place& place);

  uint64_t size() const { return size_; }
  // Exactly `count` bytes from `offset` on; a file that ends before is an error.
  std::string read(uint64_t offset, uint64_t count) const;

 private:
  Place place_;
  uint64_t size_ = 0;
  Descriptor file_;
};

// Replaces `place` by `bytes` so that a reader, a crash or a full disk sees the old file or the new
// one, never a part: temporary in the same folder, fsync, rename, fsync of the folder. Throws
// Error(kFailed) and leaves no temporary behind.
void write_file_atomically(const Place& place, std::string_view bytes);

// A regular file that grows at its end, made if absent. Every failure is an Error(kFailed) that
// names it.
class AppendFile {
 public:
  explicit AppendFile(const Place& place);

  void append(std::string_view bytes);  // all of it or, on a full disk, nothing
  void flush();                         // to the disk (fsync)
  uint64_t size() const;
  const Place& place() const { return place_; }
  void truncate(uint64_t size);  // cuts back to `size` bytes, which must not be more than there are

 private:
  Place place_;
  Descriptor file_;
};

}  // namespace vitrine

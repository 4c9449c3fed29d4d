#include "framework/files/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "framework/error.h"
#include "framework/files/temporary_file.h"
#include "framework/memory.h"

namespace vitrine {
namespace {

[[noreturn]] void refuse(const Place& place, const std::string& reason) {
  throw Error(ExitCode::kData, "cannot read " + place.shown() + ": " + reason);
}

// A regular file, open for reading, and its length.
Descriptor open_regular(const Place& place, uint64_t& size) {
  // O_NONBLOCK, because opening a pipe would wait for its writer.
  Descriptor file = open_descriptor(place, O_RDONLY | O_NONBLOCK);
  struct stat status {};
  if (!file.is_open() || fstat(file.get(), &status) != 0) throw_read_error(place, errno);
  if (S_ISDIR(status.st_mode)) refuse(place, "it is a directory");
  if (!S_ISREG(status.st_mode)) refuse(place, "it is not a regular file");
  size = static_cast<uint64_t>(status.st_size);
  return file;
}

// Up to `count` bytes from `offset` on; fewer only at the end of the file.
std::string read_bytes(const Descriptor& file, uint64_t count, const Place& place,
                       uint64_t offset = 0) {
  std::string bytes;
  bytes.reserve(count);
  use_huge_pages(bytes.data(), count);
  bytes.resize(count);
  size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t got = ::pread(file.get(), bytes.data() + filled, bytes.size() - filled,
                                static_cast<off_t>(offset + filled));
    if (got < 0 && errno != EINTR) throw_read_error(place, errno);
    if (got == 0) break;
    if (got > 0) filled += static_cast<size_t>(got);
  }
  bytes.resize(filled);
  return bytes;
}

}  // namespace

std::string read_file(const Place& place, uint64_t limit) {
  uint64_t size = 0;
  const Descriptor file = open_regular(place, size);
  if (size > limit) {
    refuse(place, "it has " + std::to_string(size) + " bytes, at most " + std::to_string(limit) +
                      " are allowed");
  }
  return read_bytes(file, size, place);
}

FileStart read_file_start(const Place& place, uint64_t count) {
  FileStart start;
  const Descriptor file = open_regular(place, start.size);
  start.bytes = read_bytes(file, std::min(count, start.size), place);
  return start;
}

std::string read_file_part(const Place& place, uint64_t offset, uint64_t count) {
  uint64_t size = 0;
  const Descriptor file = open_regular(place, size);
  if (offset >= size) return "";
  return read_bytes(file, std::min(count, size - offset), place, offset);
}

OpenFile::OpenFile(const Place& place) : place_(place), file_(open_regular(place, size_)) {}

std::string OpenFile::read(uint64_t offset, uint64_t count) const {
  std::string out = read_bytes(file_, count, place_, offset);
  if (out.size() == count) return out;
  refuse(place_, "it ends after " + std::to_string(offset + out.size()) + " bytes, " +
                     std::to_string(offset + count) + " are wanted");
}

void write_file_atomically(const Place& place, std::string_view bytes) {
  TemporaryFile file(place);
  file.write(bytes);
  file.commit();
}

AppendFile::AppendFile(const Place& place)
    : place_(place),
      // O_NONBLOCK, because opening a pipe would wait for its reader.
      file_(open_descriptor(place, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK)) {
  struct stat status {};
  if (!file_.is_open() || fstat(file_.get(), &status) != 0) throw_write_error(place_, errno);
  if (S_ISREG(status.st_mode)) return;
  throw Error(ExitCode::kFailed, "cannot write " + place_.shown() + ": it is not a regular file");
}

void AppendFile::append(std::string_view bytes) {
  const uint64_t before = size();
  if (write_all(file_.get(), bytes)) return;
  const int reason = errno;
  // Half a row would make the file unreadable; what cannot be cut back is reported all the same.
  [[maybe_unused]] const int cut = ftruncate(file_.get(), static_cast<off_t>(before));
  throw_write_error(place_, reason);
}

void AppendFile::flush() {
  if (fsync(file_.get()) != 0) throw_write_error(place_, errno);
}

uint64_t AppendFile::size() const {
  struct stat status {};
  if (fstat(file_.get(), &status) != 0) throw_write_error(place_, errno);
  return static_cast<uint64_t>(status.st_size);
}

void AppendFile::truncate(uint64_t size) {
  if (size > this->size()) {
    throw Error(ExitCode::kFailed, "cannot cut " + place_.shown() + " back to " +
                                       std::to_string(size) + " bytes: it has only " +
                                       std::to_string(this->size()));
  }
  if (ftruncate(file_.get(), static_cast<off_t>(size)) != 0) throw_write_error(place_, errno);
}

}  // namespace vitrine

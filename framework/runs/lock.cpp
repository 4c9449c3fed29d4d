#include "framework/runs/lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>

#include "framework/error.h"
#include "framework/files/file.h"
#include "framework/runs/environment.h"

namespace vitrine {

namespace {

// is_held() takes a shared lock for an instant; that must not look like another runner.
constexpr int kAttempts = 10;
constexpr int kPauseMicroseconds = 20'000;

constexpr const char* kFile = ".lock";

enum class Taken { kYes, kHeldByOther, kNotSupported };

// An exclusive flock of a directory is refused with EBADF where it is made of locks for writing, as
// by NFS.
Taken answer(int code) {
  if (code == EWOULDBLOCK || code == EACCES) return Taken::kHeldByOther;
  return Taken::kNotSupported;
}

template <class Take>
Taken patiently(const Take& take) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (attempt > 0) ::usleep(kPauseMicroseconds);
    if (take() == 0) return Taken::kYes;
    if (errno != EINTR && answer(errno) != Taken::kHeldByOther) return Taken::kNotSupported;
  }
  return Taken::kHeldByOther;
}

int lock_description(int descriptor, int command) {
  struct flock all {};
  all.l_type = F_WRLCK;
  all.l_whence = SEEK_SET;
  const int result = ::fcntl(descriptor, command, &all);
  if (command == F_OFD_GETLK && result == 0 && all.l_type != F_UNLCK) {
    errno = EWOULDBLOCK;
    return -1;
  }
  return result;
}

// What the owner wrote: "process 1234, since 2026-11-22T10:15:00Z"; may be empty for an instant.
std::string owner(int descriptor) {
  char text[100];
  const ssize_t size = ::pread(descriptor, text, sizeof text, 0);
  if (size <= 0) return "";
  std::string line(text, static_cast<size_t>(size));
  line.resize(std::min(line.find('\n'), line.size()));
  return line.empty() ? "" : fmt::format(" ({})", escape(line));
}

[[noreturn]] void refuse_held(const Folder& run, int file) {
  throw Error(ExitCode::kFailed,
              fmt::format("another runner{} is working in {}; wait for it or use another --run-dir",
                          owner(file), escape(run.path().string())));
}

Descriptor open_directory(const Folder& run) {
  return open_at(run.descriptor(), ".", O_RDONLY | O_DIRECTORY);
}

}  // namespace

RunLock::RunLock(const Folder& run)
    : directory_(open_directory(run)),
      file_(open_descriptor(run / kFile, O_RDWR | O_CREAT | O_NONBLOCK)) {
  if (!file_.is_open()) {
    throw Error(
        ExitCode::kFailed,
        fmt::format("cannot open {}: {}", (run / kFile).shown(), reason_for(errno, run / kFile)),
        errno);
  }
  bool is_locked = false;
  const auto take = [&](const auto& lock) {
    const Taken taken = patiently(lock);
    if (taken == Taken::kHeldByOther) refuse_held(run, file_.get());
    is_locked |= taken == Taken::kYes;
  };
  take([&] { return ::flock(directory_.get(), LOCK_EX | LOCK_NB); });
  take([&] { return ::flock(file_.get(), LOCK_EX | LOCK_NB); });
  if (!is_locked) take([&] { return lock_description(file_.get(), F_OFD_SETLK); });
  if (!is_locked) {
    warning_ = fmt::format("the file system of {} has no locks: nothing keeps a second runner out",
                           escape(run.path().string()));
  }
  // Only for that message: a full disk must not keep anyone from the lock.
  const std::string line = fmt::format("process {}, since {}\n", ::getpid(), utc_now());
  if (::ftruncate(file_.get(), 0) == 0) {
    [[maybe_unused]] const ssize_t written = ::pwrite(file_.get(), line.data(), line.size(), 0);
  }
}

bool RunLock::is_held(const Folder& run) {
  const auto held = [](int result) { return result != 0 && answer(errno) == Taken::kHeldByOther; };
  const Descriptor directory = open_directory(run);
  if (directory.is_open() && held(::flock(directory.get(), LOCK_SH | LOCK_NB))) return true;
  const Descriptor file = open_descriptor(run / kFile, O_RDONLY | O_NONBLOCK);
  return file.is_open() && (held(::flock(file.get(), LOCK_SH | LOCK_NB)) ||
                            held(lock_description(file.get(), F_OFD_GETLK)));
}

bool RunLock::is_held(const std::filesystem::path& run) {
  try {
    return is_held(Folder::open(run));
  } catch (const Error&) {
    return false;  // whoever needs what is in it says what is wrong
  }
}

}  // namespace vitrine

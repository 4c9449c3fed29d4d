#include "framework/runs/lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "framework/error.h"
#include "framework/runs/environment.h"

namespace vitrine {

namespace {

// is_held() takes a shared lock for an instant; that must not look like another runner.
constexpr int kAttempts = 10;
constexpr int kPauseMicroseconds = 20'000;

bool take_lock(int descriptor) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (attempt > 0) ::usleep(kPauseMicroseconds);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return true;
    if (errno != EWOULDBLOCK && errno != EINTR) return false;
  }
  errno = EWOULDBLOCK;
  return false;
}

std::string reason(int code) { return std::generic_category().message(code); }

// What the owner wrote: "process 1234, since 2026-11-22T10:15:00Z"; may be empty for an instant.
std::string owner(int descriptor) {
  char text[100];
  const ssize_t size = ::pread(descriptor, text, sizeof text, 0);
  if (size <= 0) return "";
  std::string line(text, static_cast<size_t>(size));
  line.resize(std::min(line.find('\n'), line.size()));
  return line.empty() ? "" : fmt::format(" ({})", escape(line));
}

}  // namespace

RunLock::RunLock(const std::filesystem::path& run) {
  const std::filesystem::path file = run / ".lock";
  descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
  if (descriptor_ < 0) {
    throw Error(ExitCode::kFailed,
                fmt::format("cannot open {}: {}", escape(file.string()), reason(errno)));
  }
  if (!take_lock(descriptor_)) {
    const int code = errno;
    const std::string who = owner(descriptor_);
    ::close(std::exchange(descriptor_, -1));
    if (code != EWOULDBLOCK) {
      throw Error(ExitCode::kFailed,
                  fmt::format("cannot lock {}: {}", escape(file.string()), reason(code)));
    }
    throw Error(ExitCode::kFailed,
                fmt::format("another runner{} is working in {}; wait for it or use another "
                            "--run-dir",
                            who, escape(run.string())));
  }
  // Only for that message: a full disk must not keep anyone from the lock.
  const std::string line = fmt::format("process {}, since {}\n", ::getpid(), utc_now());
  if (::ftruncate(descriptor_, 0) == 0) {
    [[maybe_unused]] const ssize_t written = ::pwrite(descriptor_, line.data(), line.size(), 0);
  }
}

RunLock::RunLock(RunLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

RunLock& RunLock::operator=(RunLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

RunLock::~RunLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool RunLock::is_held(const std::filesystem::path& run) {
  const int descriptor =
      ::open((run / ".lock").c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (descriptor < 0) return false;
  const bool held = ::flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(descriptor);
  return held;
}

}  // namespace vitrine

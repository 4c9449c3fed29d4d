#include "tests/failpoints/failpoints.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>

namespace vitrine::failpoints {
namespace {

// Never destroyed: libraries call the system until the very end.
struct State {
  std::mutex mutex;
  Plan plan;
  std::atomic<bool> armed = false;
  std::atomic<int64_t> count = 0;
  std::vector<Call> calls;
};

State& state() {
  static State* const out = new State;
  return *out;
}

template <class Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

// What is asked of the system on the way to an answer does not count.
thread_local bool inside = false;

class Inside {
 public:
  Inside() { inside = true; }
  ~Inside() { inside = false; }
};

std::string link_target(const std::string& link) {
  char text[4096];
  const ssize_t size = readlink(link.c_str(), text, sizeof text);
  return size < 0 ? "" : std::string(text, static_cast<size_t>(size));
}

std::string path_of(int descriptor) {
  return link_target("/proc/self/fd/" + std::to_string(descriptor));
}

std::string path_at(int folder, const char* name) {
  if (name[0] == '/') return name;
  const std::string base = folder == AT_FDCWD ? link_target("/proc/self/cwd") : path_of(folder);
  return std::strcmp(name, ".") == 0 ? base + "/" : base + "/" + name;
}

enum class Answer { kGo, kFail, kPart, kEndAfter };

[[noreturn]] void end() {
  raise(SIGKILL);
  abort();
}

Answer ask(Calls kind, Call call) {
  State& all = state();
  if (!all.armed || inside) return Answer::kGo;
  const Inside guard;
  const std::lock_guard lock(all.mutex);
  const Plan& plan = all.plan;
  const bool is_kind = plan.calls == kind || (plan.calls == Calls::kLocks && kind == Calls::kFlock);
  const bool counts = is_kind && (call.path + "/").starts_with(plan.under);
  if (!counts) return Answer::kGo;
  const int64_t number = ++all.count;
  if (plan.records) all.calls.push_back(std::move(call));
  if (plan.mode == Mode::kErrors ? number < plan.at : number != plan.at) return Answer::kGo;
  switch (plan.mode) {
    case Mode::kNothing:
      return Answer::kGo;
    case Mode::kError:
    case Mode::kErrors:
      errno = plan.code;
      return Answer::kFail;
    case Mode::kKill:
      end();
    case Mode::kKillAfter:
      return Answer::kEndAfter;
    case Mode::kPart:
      return Answer::kPart;
  }
  return Answer::kGo;
}

// Makes the call, unless it is to fail.
template <class Perform>
auto perform(Calls kind, Call call, const Perform& really) -> decltype(really()) {
  const Answer answer = ask(kind, std::move(call));
  if (answer == Answer::kFail) return decltype(really())(-1);
  const auto result = really();
  if (answer == Answer::kEndAfter || answer == Answer::kPart) end();
  return result;
}

bool is_recording() { return state().armed && state().plan.records && !inside; }

ssize_t write_to(const char* name, int descriptor, const void* data, size_t size, off_t offset,
                 bool at_offset) {
  const auto write_ = next<ssize_t (*)(int, const void*, size_t)>("write");
  const auto pwrite_ = next<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite");
  const auto really = [&](size_t bytes) {
    return at_offset ? pwrite_(descriptor, data, bytes, offset) : write_(descriptor, data, bytes);
  };
  if (!state().armed || inside) return really(size);
  Call call{name, path_of(descriptor), "", "", offset};
  if (is_recording()) {
    call.bytes.assign(static_cast<const char*>(data), size);
    struct stat status {};
    if (!at_offset) call.offset = fstat(descriptor, &status) == 0 ? status.st_size : 0;
  }
  const Answer answer = ask(Calls::kWrites, std::move(call));
  if (answer == Answer::kFail) return -1;
  const ssize_t done = really(answer == Answer::kPart ? size / 2 : size);
  if (answer != Answer::kGo) end();
  return done;
}

int open_at(int folder, const char* name, int flags, mode_t mode) {
  const bool writes = (flags & (O_CREAT | O_TRUNC)) != 0 || (flags & O_ACCMODE) != O_RDONLY;
  const Calls kind = writes ? Calls::kWrites : Calls::kReads;
  return perform(kind, {writes ? "create" : "open", path_at(folder, name), "", "", flags}, [&] {
    return next<int (*)(int, const char*, int, mode_t)>("openat")(folder, name, flags, mode);
  });
}

mode_t mode_of(int flags, va_list arguments) {
  return flags & (O_CREAT | O_TMPFILE) ? static_cast<mode_t>(va_arg(arguments, int)) : 0;
}

Mode mode_named(const std::string& name) {
  constexpr const char* kNames[] = {"nothing", "error", "errors", "kill", "kill_after", "part"};
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (name == kNames[i]) return static_cast<Mode>(i);
  }
  return Mode::kNothing;
}

std::string variable(const char* name) {
  const char* value = getenv(name);
  return value ? value : "";
}

// For programs that are started with the library preloaded.
[[gnu::constructor]] void arm_by_environment() {
  Plan plan;
  plan.under = variable("FAILPOINT_UNDER");
  if (plan.under.empty()) return;
  const std::string calls = variable("FAILPOINT_CALLS");
  plan.calls = calls == "reads"   ? Calls::kReads
               : calls == "flock" ? Calls::kFlock
               : calls == "locks" ? Calls::kLocks
                                  : Calls::kWrites;
  plan.mode = mode_named(variable("FAILPOINT_MODE"));
  plan.at = std::atoll(variable("FAILPOINT_AT").c_str());
  plan.code = std::atoi(variable("FAILPOINT_ERRNO").c_str());
  arm(plan);
}

}  // namespace

void arm(const Plan& plan) {
  State& all = state();
  const std::lock_guard lock(all.mutex);
  all.plan = plan;
  all.count = 0;
  all.calls.clear();
  all.armed = true;
}

void disarm() { state().armed = false; }
int64_t count() { return state().count; }

std::vector<Call> recorded() {
  State& all = state();
  const std::lock_guard lock(all.mutex);
  return all.calls;
}

}  // namespace vitrine::failpoints

using namespace vitrine::failpoints;

extern "C" {

int open(const char* name, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_at(AT_FDCWD, name, flags, mode);
}

int open64(const char* name, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_at(AT_FDCWD, name, flags, mode);
}

int openat(int folder, const char* name, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_at(folder, name, flags, mode);
}

int openat64(int folder, const char* name, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_at(folder, name, flags, mode);
}

ssize_t write(int descriptor, const void* data, size_t size) {
  return write_to("write", descriptor, data, size, 0, false);
}

ssize_t pwrite(int descriptor, const void* data, size_t size, off_t offset) {
  return write_to("write", descriptor, data, size, offset, true);
}

ssize_t pwrite64(int descriptor, const void* data, size_t size, off_t offset) {
  return write_to("write", descriptor, data, size, offset, true);
}

int fsync(int descriptor) {
  return perform(Calls::kWrites, {"fsync", path_of(descriptor), "", "", 0},
                 [&] { return next<int (*)(int)>("fsync")(descriptor); });
}

int ftruncate(int descriptor, off_t size) noexcept {
  return perform(Calls::kWrites, {"truncate", path_of(descriptor), "", "", size},
                 [&] { return next<int (*)(int, off_t)>("ftruncate")(descriptor, size); });
}

int ftruncate64(int descriptor, off_t size) noexcept { return ftruncate(descriptor, size); }

int rename(const char* from, const char* to) noexcept {
  return perform(Calls::kWrites, {"rename", path_at(AT_FDCWD, from), path_at(AT_FDCWD, to), "", 0},
                 [&] { return next<int (*)(const char*, const char*)>("rename")(from, to); });
}

int renameat(int folder, const char* from, int other, const char* to) noexcept {
  return perform(Calls::kWrites, {"rename", path_at(folder, from), path_at(other, to), "", 0}, [&] {
    return next<int (*)(int, const char*, int, const char*)>("renameat")(folder, from, other, to);
  });
}

int unlink(const char* name) noexcept {
  return perform(Calls::kWrites, {"remove", path_at(AT_FDCWD, name), "", "", 0},
                 [&] { return next<int (*)(const char*)>("unlink")(name); });
}

int unlinkat(int folder, const char* name, int flags) noexcept {
  return perform(Calls::kWrites, {"remove", path_at(folder, name), "", "", 0}, [&] {
    return next<int (*)(int, const char*, int)>("unlinkat")(folder, name, flags);
  });
}

int remove(const char* name) noexcept {
  return perform(Calls::kWrites, {"remove", path_at(AT_FDCWD, name), "", "", 0},
                 [&] { return next<int (*)(const char*)>("remove")(name); });
}

int fchmodat(int folder, const char* name, mode_t mode, int flags) noexcept {
  return perform(Calls::kWrites, {"chmod", path_at(folder, name), "", "", 0}, [&] {
    return next<int (*)(int, const char*, mode_t, int)>("fchmodat")(folder, name, mode, flags);
  });
}

int mkdir(const char* name, mode_t mode) noexcept {
  return perform(Calls::kWrites, {"mkdir", path_at(AT_FDCWD, name), "", "", 0},
                 [&] { return next<int (*)(const char*, mode_t)>("mkdir")(name, mode); });
}

int mkdirat(int folder, const char* name, mode_t mode) noexcept {
  return perform(Calls::kWrites, {"mkdir", path_at(folder, name), "", "", 0}, [&] {
    return next<int (*)(int, const char*, mode_t)>("mkdirat")(folder, name, mode);
  });
}

int symlink(const char* target, const char* name) noexcept {
  return perform(Calls::kWrites, {"symlink", path_at(AT_FDCWD, name), "", "", 0},
                 [&] { return next<int (*)(const char*, const char*)>("symlink")(target, name); });
}

ssize_t read(int descriptor, void* data, size_t size) {
  return perform(Calls::kReads, {"read", path_of(descriptor), "", "", 0}, [&] {
    return next<ssize_t (*)(int, void*, size_t)>("read")(descriptor, data, size);
  });
}

ssize_t pread(int descriptor, void* data, size_t size, off_t offset) {
  return perform(Calls::kReads, {"read", path_of(descriptor), "", "", 0}, [&] {
    return next<ssize_t (*)(int, void*, size_t, off_t)>("pread")(descriptor, data, size, offset);
  });
}

ssize_t pread64(int descriptor, void* data, size_t size, off_t offset) {
  return pread(descriptor, data, size, offset);
}

int fstatat(int folder, const char* name, struct stat* status, int flags) noexcept {
  return perform(Calls::kReads, {"stat", path_at(folder, name), "", "", 0}, [&] {
    return next<int (*)(int, const char*, struct stat*, int)>("fstatat")(folder, name, status,
                                                                         flags);
  });
}

int fstatat64(int folder, const char* name, struct stat64* status, int flags) noexcept {
  return perform(Calls::kReads, {"stat", path_at(folder, name), "", "", 0}, [&] {
    return next<int (*)(int, const char*, struct stat64*, int)>("fstatat64")(folder, name, status,
                                                                             flags);
  });
}

int stat(const char* name, struct stat* status) noexcept {
  return perform(Calls::kReads, {"stat", path_at(AT_FDCWD, name), "", "", 0},
                 [&] { return next<int (*)(const char*, struct stat*)>("stat")(name, status); });
}

int lstat(const char* name, struct stat* status) noexcept {
  return perform(Calls::kReads, {"stat", path_at(AT_FDCWD, name), "", "", 0},
                 [&] { return next<int (*)(const char*, struct stat*)>("lstat")(name, status); });
}

dirent* readdir(DIR* folder) {
  if (ask(Calls::kReads, {"list", path_of(dirfd(folder)), "", "", 0}) == Answer::kFail)
    return nullptr;
  return next<dirent* (*)(DIR*)>("readdir")(folder);
}

dirent64* readdir64(DIR* folder) {
  if (ask(Calls::kReads, {"list", path_of(dirfd(folder)), "", "", 0}) == Answer::kFail)
    return nullptr;
  return next<dirent64* (*)(DIR*)>("readdir64")(folder);
}

int fcntl(int descriptor, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void* const argument = va_arg(arguments, void*);
  va_end(arguments);
  const auto really = [&] {
    return next<int (*)(int, int, void*)>("fcntl")(descriptor, command, argument);
  };
  if (command != F_SETLK && command != F_OFD_SETLK && command != F_OFD_GETLK) return really();
  return perform(Calls::kLocks, {"fcntl", path_of(descriptor), "", "", 0}, really);
}

int fcntl64(int descriptor, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void* const argument = va_arg(arguments, void*);
  va_end(arguments);
  return fcntl(descriptor, command, argument);
}

int flock(int descriptor, int operation) noexcept {
  return perform(Calls::kFlock, {"flock", path_of(descriptor), "", "", 0},
                 [&] { return next<int (*)(int, int)>("flock")(descriptor, operation); });
}

}  // extern "C"

#include "framework/files/temporary_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <ctime>
#include <random>
#include <utility>

#include "framework/error.h"

namespace vitrine {
namespace {

constexpr std::string_view kSuffix = ".part";

// Hidden, and short enough for any name that the destination may have.
std::string name_before_hex(const Place& destination) {
  return "." + destination.filename().substr(0, 200) + ".";
}

// ".<destination>.<8 hex>.part"
std::string temporary_name(const Place& destination) {
  char hex[16];
  std::snprintf(hex, sizeof hex, "%08x", static_cast<unsigned>(std::random_device{}()));
  return name_before_hex(destination) + hex + std::string(kSuffix);
}

// Whether no process writes it any more: who does holds a lock. One that is new may be about to.
bool is_forgotten(int folder, const std::string& name) {
  constexpr time_t kNew = 60;  // s
  const Descriptor file = open_at(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  struct stat status {};
  if (!file.is_open() || fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return false;
  return time(nullptr) - status.st_mtime > kNew && flock(file.get(), LOCK_EX | LOCK_NB) == 0;
}

Descriptor folder_of(const Place& file) {
  const std::filesystem::path parent = file.path().parent_path();
  const std::string path = file.is_held() || parent.empty() ? "." : parent.string();
  return open_at(file.folder(), path, O_RDONLY | O_DIRECTORY);
}

}  // namespace

TemporaryFile::TemporaryFile(const Place& destination)
    : destination_(destination), folder_(folder_of(destination)) {
  if (!folder_.is_open()) throw_write_error(destination, errno);
  struct stat there {};
  const bool is_there =
      fstatat(destination.folder(), destination.name().c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0;
  if (is_there && !S_ISREG(there.st_mode) && !S_ISLNK(there.st_mode) && !S_ISDIR(there.st_mode)) {
    // A rename would put a file in the place of a pipe, or of /dev/null itself.
    throw Error(ExitCode::kFailed,
                "cannot write " + destination.shown() + ": it is not a regular file");
  }
  for (int attempt = 0; attempt < 100 && !file_.is_open(); ++attempt) {
    std::string name = temporary_name(destination);
    file_ = open_at(folder_.get(), name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
    if (file_.is_open()) {
      name_ = std::move(name);  // needs no memory: what is made is known at once
    } else if (errno != EEXIST) {
      break;
    }
  }
  if (!file_.is_open()) throw_write_error(destination, errno);
  flock(file_.get(), LOCK_EX | LOCK_NB);  // a sign that it is not forgotten, where there are locks
}

TemporaryFile::~TemporaryFile() {
  if (!name_.empty()) unlinkat(folder_.get(), name_.c_str(), 0);
}

void TemporaryFile::write(std::string_view bytes) {
  if (!write_all(file_.get(), bytes)) throw_write_error(destination_, errno);
}

void TemporaryFile::commit() {
  if (fsync(file_.get()) != 0) throw_write_error(destination_, errno);
  const std::string name = destination_.filename();
  if (renameat(folder_.get(), name_.c_str(), folder_.get(), name.c_str()) != 0)
    throw_write_error(destination_, errno);
  name_.clear();
  // Some file systems cannot sync a folder and say so with EINVAL.
  if (fsync(folder_.get()) != 0 && errno != EINVAL) throw_write_error(destination_, errno);
}

void remove_forgotten(const Place& destination) {
  const Descriptor folder = folder_of(destination);
  if (!folder.is_open()) return;
  try {
    const std::string begin = name_before_hex(destination);
    const std::filesystem::path parent = destination.path().parent_path();
    for (const std::string& name : Folder::open(parent.empty() ? "." : parent).names()) {
      if (name.starts_with(begin) && name.ends_with(kSuffix) && is_forgotten(folder.get(), name))
        unlinkat(folder.get(), name.c_str(), 0);
    }
  } catch (const Error&) {
    // Whoever writes there is told what is wrong.
  }
}

void remove_temporaries_of(const Place& destination) {
  const Folder folder = Folder::open(destination.path().parent_path());
  for (const std::string& name : folder.names()) {
    if (name.starts_with(name_before_hex(destination)) && name.ends_with(kSuffix))
      remove_file(folder / name);
  }
}

void remove_temporaries(const Place& place) {
  if (const auto folder = Folder::find(place)) remove_temporaries(*folder);
}

void remove_temporaries(const Folder& folder) {
  for (const std::string& name : folder.names()) {
    struct stat status {};
    const bool ours = name.starts_with('.') && name.ends_with(kSuffix);
    const bool is_file =
        ours && fstatat(folder.descriptor(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISREG(status.st_mode);
    if (is_file) unlinkat(folder.descriptor(), name.c_str(), 0);
  }
}

}  // namespace vitrine

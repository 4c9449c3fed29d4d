#include "framework/files/place.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace fs = std::filesystem;

namespace vitrine {
namespace {

// The flags that keep a name in a held folder from being a link.
int link_flags(const Place& place) { return place.is_held() ? O_NOFOLLOW : 0; }

bool is_link(const Place& place) {
  struct stat status {};
  return fstatat(place.folder(), place.name().c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISLNK(status.st_mode);
}

Descriptor open_folder(const Place& place) {
  return open_descriptor(place, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
}

Descriptor open_parent(const Place& place) {
  if (place.is_held()) return open_at(place.folder(), ".", O_RDONLY | O_DIRECTORY);
  const fs::path parent = place.path().parent_path();
  return open_at(AT_FDCWD, parent.empty() ? "." : parent.string(), O_RDONLY | O_DIRECTORY);
}

// Some file systems cannot sync a folder and say so with EINVAL; there is nothing more to do on
// them.
bool sync_folder(int folder) { return fsync(folder) == 0 || errno == EINVAL; }

[[noreturn]] void throw_make_error(const Place& place, int code) {
  throw Error(ExitCode::kFailed, "cannot create " + place.shown() + ": " + reason_for(code, place),
              code);
}

[[noreturn]] void throw_remove_error(const Place& place, int code) {
  throw Error(ExitCode::kFailed, "cannot remove " + place.shown() + ": " + reason_for(code, place),
              code);
}

void make_one(const Place& place) {
  if (mkdirat(place.folder(), place.name().c_str(), 0777) != 0) {
    if (errno == EEXIST) return;
    throw_make_error(place, errno);
  }
  const Descriptor parent = open_parent(place);
  if (!parent.is_open() || !sync_folder(parent.get())) throw_make_error(place, errno);
}

void make_all(const fs::path& path) {
  struct stat status {};
  if (path.empty() || stat(path.c_str(), &status) == 0) return;
  if (errno != ENOENT) throw_make_error(path, errno);
  make_all(path.parent_path());
  if (path.has_filename()) make_one(path);
}

}  // namespace

Place::Place(const Folder& folder, const std::string& name)
    : holder_(folder.holder_), path_(folder.path_ / name) {}

std::string Place::shown() const { return escape(path_.string()); }

Place Place::beside(const std::string& name) const {
  Place out = *this;
  out.path_.replace_filename(name);
  return out;
}

int Place::folder() const { return holder_ ? holder_->get() : AT_FDCWD; }

std::string Place::name() const { return holder_ ? path_.filename().string() : path_.string(); }

Folder::Folder(Descriptor descriptor, fs::path path)
    : holder_(std::make_shared<const Descriptor>(std::move(descriptor))), path_(std::move(path)) {}

Folder Folder::open(const Place& place) {
  Descriptor folder = open_folder(place);
  if (!folder.is_open()) throw_read_error(place, errno);
  return {std::move(folder), place.path()};
}

std::optional<Folder> Folder::find(const Place& place) {
  if (!exists(place)) return std::nullopt;
  return open(place);
}

Folder Folder::make(const Place& place) {
  if (!place.is_held()) make_all(place.path().parent_path());
  make_one(place);
  Descriptor folder = open_folder(place);
  if (!folder.is_open()) throw_make_error(place, errno);
  return {std::move(folder), place.path()};
}

fs::path Folder::location() const {
  std::error_code error;
  const fs::path found = fs::read_symlink("/proc/self/fd/" + std::to_string(descriptor()), error);
  return error ? path_ : found;
}

bool Folder::is_removed() const {
  struct stat status {};
  if (fstat(descriptor(), &status) != 0) return errno == ESTALE;
  return status.st_nlink == 0;
}

std::vector<std::string> Folder::names() const {
  // A descriptor of its own: reading moves the position, which copies share.
  const int own = openat(descriptor(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* folder = own < 0 ? nullptr : fdopendir(own);
  if (!folder) throw_read_error(path_, errno);
  std::vector<std::string> out;
  int reason = 0;
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(folder);
    if (!entry) {
      reason = errno;
      break;
    }
    const std::string name = entry->d_name;
    if (name != "." && name != "..") out.push_back(name);
  }
  closedir(folder);
  if (reason != 0) throw_read_error(path_, reason);
  std::sort(out.begin(), out.end());
  return out;
}

void Folder::sync() const {
  if (!sync_folder(descriptor())) throw_write_error(path_, errno);
}

Descriptor open_descriptor(const Place& place, int flags) {
  return open_at(place.folder(), place.name(), flags | link_flags(place));
}

bool is_missing(int code) {
  return code == ENOENT || code == ENOTDIR || code == ELOOP || code == ENAMETOOLONG;
}

bool exists(const Place& place) {
  struct stat status {};
  if (fstatat(place.folder(), place.name().c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) return true;
  if (is_missing(errno)) return false;
  throw_read_error(place, errno);
}

bool is_folder(const Place& place) {
  struct stat status {};
  const int flags = place.is_held() ? AT_SYMLINK_NOFOLLOW : 0;
  if (fstatat(place.folder(), place.name().c_str(), &status, flags) == 0)
    return S_ISDIR(status.st_mode);
  if (is_missing(errno)) return false;
  throw_read_error(place, errno);
}

void remove_file(const Place& place) {
  if (unlinkat(place.folder(), place.name().c_str(), 0) == 0 || errno == ENOENT) return;
  throw_remove_error(place, errno);
}

void remove_empty_folder(const Place& place) {
  if (unlinkat(place.folder(), place.name().c_str(), AT_REMOVEDIR) == 0) return;
  const bool is_kept = errno == ENOENT || errno == ENOTDIR || errno == ENOTEMPTY || errno == EEXIST;
  if (!is_kept) throw_remove_error(place, errno);
}

void rename_file(const Place& place, const std::string& name) {
  const fs::path to = place.is_held() ? fs::path(name) : place.path().parent_path() / name;
  if (renameat(place.folder(), place.name().c_str(), place.folder(), to.c_str()) != 0)
    throw_write_error(place, errno);
  const Descriptor parent = open_parent(place);
  if (!parent.is_open() || !sync_folder(parent.get())) throw_write_error(place, errno);
}

std::string set_aside(const Place& place) {
  std::string name = place.filename() + ".damaged";
  for (int number = 2; exists(place.beside(name)); ++number)
    name = place.filename() + ".damaged-" + std::to_string(number);
  rename_file(place, name);
  return name;
}

std::string reason_for(int code, const Place& place) {
  if ((code == ELOOP || code == ENOTDIR) && place.is_held() && is_link(place))
    return "it is a link, and links in a run's folder are not followed";
  if (code == ENXIO) return "it is not a regular file";  // a pipe without a reader
  return std::generic_category().message(code);
}

void throw_read_error(const Place& place, int code) {
  throw Error(ExitCode::kData, "cannot read " + place.shown() + ": " + reason_for(code, place),
              code);
}

void throw_write_error(const Place& place, int code) {
  throw Error(ExitCode::kFailed, "cannot write " + place.shown() + ": " + reason_for(code, place),
              code);
}

}  // namespace vitrine

#include "framework/files/temporary_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <random>

#include "framework/error.h"
#include "framework/files/file.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = ".part";

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

// ".<destination>.<8 hex>.part": hidden, and short enough for any name that the destination may
// have.
std::string temporary_name(const fs::path& destination) {
  char hex[16];
  std::snprintf(hex, sizeof hex, ".%08x", static_cast<unsigned>(std::random_device{}()));
  return "." + destination.filename().string().substr(0, 200) + hex + std::string(kSuffix);
}

// Some file systems cannot sync a folder and say so with EINVAL; there is nothing more to do on
// them.
bool sync_folder(int folder) { return fsync(folder) == 0 || errno == EINVAL; }

}  // namespace

TemporaryFile::TemporaryFile(const fs::path& destination) : destination_(destination) {
  std::error_code ignored;
  const fs::file_status there = fs::symlink_status(destination, ignored);
  if (fs::is_other(there)) {
    // A rename would put a file in the place of a pipe, or of /dev/null itself.
    throw Error(ExitCode::kFailed,
                "cannot write " + escape(destination.string()) + ": it is not a regular file");
  }
  folder_ = open_descriptor(folder_of(destination), O_RDONLY | O_DIRECTORY);
  if (!folder_.is_open()) throw_write_error(destination);
  for (int attempt = 0; attempt < 100 && !file_.is_open(); ++attempt) {
    const fs::path path = folder_of(destination) / temporary_name(destination);
    file_ = open_descriptor(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
    if (file_.is_open()) {
      path_ = path;
    } else if (errno != EEXIST) {
      break;
    }
  }
  if (!file_.is_open()) throw_write_error(destination);
}

TemporaryFile::~TemporaryFile() {
  if (!path_.empty()) unlink(path_.c_str());
}

void TemporaryFile::write(std::string_view bytes) {
  if (!write_all(file_.get(), bytes)) throw_write_error(destination_);
}

void TemporaryFile::commit() {
  if (fsync(file_.get()) != 0) throw_write_error(destination_);
  if (rename(path_.c_str(), destination_.c_str()) != 0) throw_write_error(destination_);
  path_.clear();
  if (!sync_folder(folder_.get())) throw_write_error(destination_);
}

void remove_temporaries(const fs::path& folder) {
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    const bool ours = name.starts_with('.') && name.ends_with(kSuffix);
    if (ours && entry.is_regular_file(ignored)) fs::remove(entry.path(), ignored);
  }
}

}  // namespace vitrine

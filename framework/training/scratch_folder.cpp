#include "framework/training/scratch_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "framework/error.h"
#include "framework/ranks/ranks.h"

namespace vitrine {

namespace fs = std::filesystem;

namespace {

constexpr time_t kNew = 60;  // seconds, in which it may not be locked yet

Descriptor open_folder(const fs::path& folder) {
  return open_at(AT_FDCWD, folder.string(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

void remove_forgotten(const fs::path& root, const std::string& start) {
  std::error_code error;
  for (fs::directory_iterator it(root, error), end; !error && it != end; it.increment(error)) {
    if (!it->path().filename().string().starts_with(start)) continue;
    const Descriptor folder = open_folder(it->path());
    struct stat status {};
    if (!folder.is_open() || fstat(folder.get(), &status) != 0 || status.st_uid != geteuid())
      continue;
    const bool is_old = time(nullptr) - status.st_mtime > kNew;
    if (!is_old || flock(folder.get(), LOCK_EX | LOCK_NB) != 0) continue;
    std::error_code ignored;
    fs::remove_all(it->path(), ignored);
  }
}

}  // namespace

ScratchFolder::ScratchFolder(const char* what) {
  const char* given = getenv("TMPDIR");
  const fs::path root = given && *given ? given : "/tmp";
  // Where machines share it, locks may be of each alone.
  const std::string start = "vitrine-scratch-" + ranks().hosts()[ranks().index()] + "-";
  remove_forgotten(root, start);
  std::string name = (root / (start + "XXXXXX")).string();
  if (!mkdtemp(name.data())) {
    throw Error(ExitCode::kFailed,
                fmt::format("cannot make a folder for {} in {} ({}): {}", what,
                            escape(root.string()), given && *given ? "TMPDIR" : "TMPDIR is not set",
                            std::generic_category().message(errno)));
  }
  path_ = name;
  lock_ = open_folder(path_);
  flock(lock_.get(), LOCK_EX | LOCK_NB);
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace vitrine

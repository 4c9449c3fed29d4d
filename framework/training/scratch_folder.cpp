#include "framework/training/scratch_folder.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <cerrno>
#include <system_error>

#include "framework/error.h"

namespace vitrine {

namespace fs = std::filesystem;

ScratchFolder::ScratchFolder(const char* what) {
  const char* given = getenv("TMPDIR");
  const fs::path root = given && *given ? given : "/tmp";
  std::string name = (root / "vitrine-XXXXXX").string();
  if (!mkdtemp(name.data())) {
    throw Error(ExitCode::kFailed,
                fmt::format("cannot make a folder for {} in {} ({}): {}", what,
                            escape(root.string()),
                            given && *given ? "TMPDIR" : "TMPDIR is not set",
                            std::generic_category().message(errno)));
  }
  path_ = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace vitrine

#include "framework/cli/surroundings.h"

#include <fmt/format.h>

#include "framework/error.h"

namespace vitrine {

namespace fs = std::filesystem;

InSurroundings::InSurroundings(const SweepSurroundings& surroundings)
    : before_(fs::current_path()) {
  surroundings.set_variables();
  std::error_code error;
  fs::current_path(surroundings.directory, error);
  if (!error) return;
  throw Error(ExitCode::kFailed,
              fmt::format("the sweep was begun in {}, which cannot be entered: {}",
                          escape(surroundings.directory), error.message()));
}

InSurroundings::~InSurroundings() {
  std::error_code ignored;
  fs::current_path(before_, ignored);
}

}  // namespace vitrine

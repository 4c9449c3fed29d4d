#include "framework/cli/launch_environment.h"

#include <fmt/format.h>

#include "framework/error.h"

namespace vitrine {

namespace fs = std::filesystem;

ScopedLaunchEnvironment::ScopedLaunchEnvironment(const LaunchEnvironment& environment)
    : before_(fs::current_path()) {
  environment.set_variables();
  std::error_code error;
  fs::current_path(environment.directory, error);
  if (!error) return;
  throw Error(ExitCode::kFailed,
              fmt::format("the sweep was begun in {}, which cannot be entered: {}",
                          escape(environment.directory), error.message()));
}

ScopedLaunchEnvironment::~ScopedLaunchEnvironment() {
  std::error_code ignored;
  fs::current_path(before_, ignored);
}

}  // namespace vitrine

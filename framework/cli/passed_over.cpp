#include "framework/cli/passed_over.h"

#include "framework/cli/terminal.h"

namespace vitrine {

ExitCode tell_passed_over(const PassedOver& passed_over) {
  if (!passed_over.empty()) print_warning(passed_over.text());
  return passed_over.has_failed() ? ExitCode::kFailed : ExitCode::kDone;
}

}  // namespace vitrine

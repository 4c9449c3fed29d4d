#pragma once

#include "framework/error.h"
#include "framework/runs/find_runs.h"

namespace vitrine {

// Tells on standard error what a search for runs passed over, if anything. What a verb ends with
// then: kDone, or kFailed where a folder could not be read for another reason than permission.
ExitCode tell_passed_over(const PassedOver& passed_over);

}  // namespace vitrine

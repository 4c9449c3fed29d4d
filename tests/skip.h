#pragma once

#include <string>

namespace vitrine {

// The test under way cannot run here, for this reason. ctest then shows its file as skipped, and
// scripts/test.sh tells the reason; so the tests that may be skipped stand in files of their own.
void skip(const std::string& reason);

}  // namespace vitrine

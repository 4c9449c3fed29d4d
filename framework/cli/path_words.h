#pragma once

#include <string>
#include <vector>

#include "framework/cli/config_words.h"

namespace vitrine {

enum class PathKind { kAny, kConfig, kRun, kPlugin };

// The files of that kind, and folders with a "/" behind them, whose path begins like `begun`. A run
// is a folder with nothing behind it. Where the word may still be any, `configs` and `runs` stand
// for all folders. "~" stays as it was typed. Hidden ones are left out until they are begun.
std::vector<Candidate> path_words(const std::string& begun, PathKind kind);

}  // namespace vitrine

#pragma once

#include <string>
#include <vector>

#include "framework/comparing/runs.h"

namespace vitrine {

// A page about `runs`, which were found in `places`, that needs nothing but a browser: one HTML
// file with all data, styles and scripts in it, which asks nothing of any network. Sections that
// have nothing to show are left out. A browser reads it again every `refresh` seconds, where these
// are not 0.
std::string report_page(std::vector<RunRecord> runs, const std::vector<std::string>& places,
                        int64_t refresh = 0);

}  // namespace vitrine

#pragma once

#include <string>
#include <vector>

#include "framework/comparing/runs.h"

namespace vitrine {

// A page about `runs`, which were found in `places`, that needs nothing but a browser: one HTML
// file with all data, styles and scripts in it, which asks nothing of any network. Sections that
// have nothing to show are left out.
std::string report_page(std::vector<RunRecord> runs, const std::vector<std::string>& places);

}  // namespace vitrine

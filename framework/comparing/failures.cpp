#include "framework/comparing/failures.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <tuple>

namespace vitrine {

namespace {

size_t count_of(const Group& group, const char* status) {
  return static_cast<size_t>(
      std::count_if(group.runs.begin(), group.runs.end(),
                    [&](const RunRecord* run) { return run->status == status; }));
}

}  // namespace

size_t failures_of(const Group& group) {
  return count_of(group, "diverged") + count_of(group, "failed");
}

std::string shown_failures(const Group& group) {
  std::vector<std::string> parts;
  for (const char* status : {"diverged", "failed"}) {
    const size_t count = count_of(group, status), all = group.runs.size();
    if (count > 0) {
      parts.push_back(all == 1 ? status : fmt::format("{} of {} {}", count, all, status));
    }
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

const Group* best_group(const Comparison& comparison, const std::string& metric) {
  const bool larger = comparison.info(metric).goal == "max";
  const Group* best = nullptr;
  std::tuple<bool, size_t, double> best_place;  // smaller is better
  for (const Group& group : comparison.groups) {
    if (group.counted.empty()) continue;
    const double mean = group.spread(metric).mean;
    if (std::isnan(mean)) continue;
    const std::tuple place(group.is_other, failures_of(group), larger ? -mean : mean);
    if (best == nullptr || place < best_place) best = &group, best_place = place;
  }
  return best;
}

}  // namespace vitrine

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace vitrine {

// How fast a run is, smoothed, for the line that shows its progress.
class Speed {
 public:
  explicit Speed(int64_t step) : step_(step) {}

  // Steps a second; none where it was asked a moment ago.
  std::optional<double> at(int64_t step);

 private:
  using Clock = std::chrono::steady_clock;

  int64_t step_;
  Clock::time_point shown_at_ = Clock::now();
  double steps_per_second_ = 0;
};

}  // namespace vitrine

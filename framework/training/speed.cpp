#include "framework/training/speed.h"

namespace vitrine {

std::optional<double> Speed::at(int64_t step) {
  constexpr double kMoment = 0.1, kKept = 0.8;
  const auto now = Clock::now();
  const double seconds = std::chrono::duration<double>(now - shown_at_).count();
  if (seconds < kMoment) return std::nullopt;
  const double present = static_cast<double>(step - step_) / seconds;
  steps_per_second_ =
      steps_per_second_ == 0 ? present : kKept * steps_per_second_ + (1 - kKept) * present;
  shown_at_ = now;
  step_ = step;
  return steps_per_second_;
}

}  // namespace vitrine

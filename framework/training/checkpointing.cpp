#include "framework/training/checkpointing.h"

#include <algorithm>

namespace vitrine {

bool Checkpointing::is_due(int64_t step) const {
  const Interval& every = options_.every;
  if (every.unit == Interval::Unit::kMinutes)
    return std::chrono::duration<double>(Clock::now() - saved_at_).count() >= every.count * 60;
  return step % std::max<int64_t>(every.in_steps(steps_per_epoch_), 1) == 0;
}

void Checkpointing::save(const Place& folder, const Checkpoint& checkpoint, int64_t step,
                         std::optional<int64_t> best) {
  const auto now = Clock::now();
  save_checkpoint(folder, checkpoint, step);
  prune_checkpoints(folder, options_.keep, best);
  saved_at_ = now;
  note(step);
}

}  // namespace vitrine

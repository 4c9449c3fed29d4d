#pragma once

#include <chrono>

#include "framework/runs/checkpoint.h"
#include "framework/training/config.h"

namespace vitrine {

// When a run saves checkpoints, and which it keeps.
class Checkpointing {
 public:
  Checkpointing(const CheckpointOptions& options, int64_t steps_per_epoch)
      : options_(options), steps_per_epoch_(steps_per_epoch) {}

  bool is_due(int64_t step) const;
  // `best`: the step of one that is kept besides the last. Throws Error(kFailed).
  void save(const Place& folder, const Checkpoint& checkpoint, int64_t step,
            std::optional<int64_t> best);
  // The newest one is of this step: saved, or gone on from.
  void note(int64_t step) { newest_ = step; }
  std::optional<int64_t> newest() const { return newest_; }

 private:
  using Clock = std::chrono::steady_clock;

  const CheckpointOptions& options_;
  int64_t steps_per_epoch_;
  std::optional<int64_t> newest_;
  Clock::time_point saved_at_ = Clock::now();
};

}  // namespace vitrine

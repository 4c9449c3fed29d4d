#pragma once

#include <optional>
#include <vector>

#include "framework/data/batch_stream.h"
#include "framework/data/epoch_order.h"
#include "framework/training/config.h"

namespace vitrine {

// What a step trains on: the images of an epoch in their order, cut into batches.
class DataLoader {
 public:
  // Both outlive it.
  DataLoader(const Batches& images, const TrainingOptions& options, int64_t views = 1);

  int64_t images_per_epoch() const { return images_; }
  int64_t steps_per_epoch() const { return steps_; }
  int64_t total_steps() const { return total_steps_; }

  // Draws the order of an epoch from the global generator; its seed.
  int64_t draw_order();
  // The order of that seed once more; draws nothing.
  void rebuild_order(int64_t seed);
  // The batches of one optimizer step; those of the next are read meanwhile.
  std::vector<Batch> batches(int64_t epoch, int64_t step_in_epoch);

 private:
  Tensor indices(int64_t batch) const;

  const Batches& data_;
  const TrainingOptions& options_;
  int64_t views_, images_, steps_, total_steps_;
  std::optional<EpochOrder> order_;
  std::optional<BatchStream> stream_;  // of an epoch
};

}  // namespace vitrine

#include "framework/training/loader.h"

#include <algorithm>

#include "framework/training/workload.h"

namespace vitrine {

DataLoader::DataLoader(const Batches& images, const TrainingOptions& options, int64_t views)
    : data_(images),
      options_(options),
      views_(views),
      images_(vitrine::images_per_epoch(options, images.size())),
      steps_(vitrine::steps_per_epoch(options, images.size())),
      total_steps_(vitrine::total_steps(options, images.size())) {}

int64_t DataLoader::draw_order() {
  stream_.reset();
  order_ = EpochOrder::draw(images_);
  return order_->seed();
}

void DataLoader::rebuild_order(int64_t seed) {
  stream_.reset();
  order_ = EpochOrder::from_seed(seed, images_);
}

// Undefined after the end of the epoch.
Tensor DataLoader::indices(int64_t batch) const {
  const int64_t first = batch * options_.batch_size;
  if (first >= images_) return {};
  return order_->indices(first, std::min(options_.batch_size, images_ - first));
}

std::vector<Batch> DataLoader::batches(int64_t epoch, int64_t step_in_epoch) {
  const int64_t first = step_in_epoch * options_.accumulate;
  if (!stream_ || stream_->epoch() != epoch || stream_->position() != first) {
    stream_.emplace(
        data_, [this](int64_t batch) { return indices(batch); }, first, epoch, views_);
  }
  std::vector<Batch> out;
  while (std::ssize(out) < options_.accumulate && indices(stream_->position()).defined())
    out.push_back(stream_->next());
  return out;
}

}  // namespace vitrine

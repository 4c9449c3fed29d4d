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
  order_ = EpochOrder::draw(images_);
  return order_->seed();
}

void DataLoader::rebuild_order(int64_t seed) { order_ = EpochOrder::from_seed(seed, images_); }

std::vector<Batch> DataLoader::batches(int64_t epoch, int64_t step_in_epoch) const {
  const int64_t per_step = options_.batch_size * options_.accumulate;
  const int64_t begin = step_in_epoch * per_step;
  const int64_t end = std::min(begin + per_step, images_);
  std::vector<Batch> out;
  for (int64_t first = begin; first < end; first += options_.batch_size) {
    const int64_t count = std::min(options_.batch_size, end - first);
    out.push_back(data_.gather(order_->indices(first, count), epoch, views_));
  }
  return out;
}

}  // namespace vitrine

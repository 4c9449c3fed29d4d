#include "framework/data/batch_stream.h"

namespace vitrine {

BatchStream::BatchStream(const Batches& data, Indices indices, int64_t first, int64_t epoch,
                         int64_t views)
    : data_(data), indices_(std::move(indices)), next_(first), epoch_(epoch), views_(views) {}

Batch BatchStream::next() {
  constexpr size_t kAhead = 2;
  const size_t wanted = data_.works_ahead() ? 1 + kAhead : 1;
  while (begun_.size() < wanted) {
    const Tensor indices = indices_(next_ + static_cast<int64_t>(begun_.size()));
    if (!indices.defined()) break;
    begun_.push_back(data_.begin(indices, epoch_, views_));
  }
  Batches::Begun first = std::move(begun_.front());
  begun_.pop_front();
  ++next_;
  return data_.finish(std::move(first));
}

}  // namespace vitrine

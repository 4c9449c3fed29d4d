#pragma once

#include <deque>
#include <functional>

#include "framework/data/batches.h"

namespace vitrine {

// Batches one after the other, where what takes work is begun ahead: at most two batches.
class BatchStream {
 public:
  // The numbers of a batch's images; undefined after the last one.
  using Indices = std::function<Tensor(int64_t batch)>;

  // `data` outlives it.
  BatchStream(const Batches& data, Indices indices, int64_t first, int64_t epoch, int64_t views);

  int64_t epoch() const { return epoch_; }
  int64_t position() const { return next_; }  // of the batch that comes next
  Batch next();

 private:
  const Batches& data_;
  Indices indices_;
  int64_t next_, epoch_, views_;
  std::deque<Batches::Begun> begun_;  // from the next batch on
};

}  // namespace vitrine

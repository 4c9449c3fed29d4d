#include "framework/training/evaluation.h"

#include <ATen/ops/arange.h>

#include <algorithm>

#include "framework/data/batch_stream.h"

namespace vitrine {

Tensor sum_over_images(const Tensor& numbers) {
  const Tensor detached = numbers.detach();
  return (detached.is_mps() ? detached.cpu() : detached).sum(at::kDouble).view({1});
}

void for_batches(const Batches& data, const EvaluationOptions& options,
                 const std::function<void(const Batch&)>& work, int64_t views) {
  const auto indices = [&](int64_t batch) {
    const int64_t first = batch * options.batch_size;
    return first < data.size()
               ? at::arange(first, std::min(first + options.batch_size, data.size()))
               : Tensor();
  };
  BatchStream batches(data, indices, 0, 0, views);
  while (indices(batches.position()).defined() && !options.cancelled()) work(batches.next());
}

}  // namespace vitrine

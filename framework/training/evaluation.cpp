#include "framework/training/evaluation.h"

#include <ATen/ops/arange.h>

#include <algorithm>

namespace vitrine {

Tensor sum_over_images(const Tensor& numbers) {
  const Tensor detached = numbers.detach();
  return (detached.is_mps() ? detached.cpu() : detached).sum(at::kDouble).view({1});
}

void for_batches(const Batches& data, const EvaluationOptions& options,
                 const std::function<void(const Batch&)>& work, int64_t views) {
  const Tensor all = at::arange(data.size());
  for (int64_t first = 0; first < data.size() && !options.cancelled();
       first += options.batch_size) {
    const int64_t end = std::min(first + options.batch_size, data.size());
    work(data.gather(all.slice(0, first, end), 0, views));
  }
}

}  // namespace vitrine

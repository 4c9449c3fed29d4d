#include "framework/training/evaluation.h"

#include <ATen/ops/arange.h>

#include <algorithm>

namespace vitrine {

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

#include "framework/training/evaluation.h"

#include <ATen/ops/arange.h>
#include <fmt/format.h>
#include <torch/nn/module.h>

#include <algorithm>

#include "framework/data/batch_stream.h"
#include "framework/training/experiment.h"

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

Evaluation evaluated(Experiment& experiment, const Batches& data,
                     const EvaluationOptions& options) {
  const Component* component = experiment.component();
  Evaluation out =
      in_component(component, "evaluate", [&] { return experiment.evaluate(data, options); });
  if (!component || options.cancelled()) return out;
  for (const Measure& measure : experiment.measures()) {
    const std::string name = measure.in(options.split);
    if (!out.values.contains(name))
      fail(*component, "evaluate", fmt::format("it does not tell {}, which it measures", name));
  }
  for (const NamedModule& each : experiment.computation().modules) {
    if (!each.module->is_training())
      fail(*component, "evaluate", "it leaves its modules in evaluation mode");
  }
  return out;
}

}  // namespace vitrine

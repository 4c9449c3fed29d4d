#include "models/patches.h"

#include <ATen/ops/zeros.h>

namespace vitrine {

Patching patching_of(const Recording& recording) {
  const auto& steps = recording.program.steps;
  for (size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].operation != "patches") continue;
    const auto n = [&](size_t k) { return static_cast<int64_t>(steps[i].numbers[k]); };
    return {n(0), n(1), n(2), n(3), n(4), i};
  }
  throw Error(ExitCode::kUsage, "the run's model does not cut its images into patches");
}

Tensor position_table(const PlotContext& context) {
  std::vector<int64_t> sizes = context.images;
  sizes.insert(sizes.begin(), 1);
  for (const auto& [name, value] :
       named_values(*context.model, at::zeros(sizes, at::kFloat), "position.table")) {
    return value[0];
  }
  throw Error(ExitCode::kUsage, "the model adds no positions that could be shown");
}

}  // namespace vitrine

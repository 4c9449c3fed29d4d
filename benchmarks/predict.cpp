// How long a ViT-Ti takes for one image of 224 px, on one core.
#include <ATen/ops/randint.h>
#include <benchmark/benchmark.h>

#include "framework/config/yaml.h"
#include "framework/training/model_file.h"
#include "framework/training/threads.h"

namespace vitrine {
namespace {

void predict_vit_ti(benchmark::State& state) {
  set_compute_threads(1);
  ModelContext context{3, 224, 224, {}};
  std::vector<std::string> names;
  for (int i = 0; i < 10; ++i) names.push_back(std::to_string(i));
  context.columns = class_column(std::move(names));
  Problems problems;
  Choice<Model> choice;
  choice.read(
      parse_yaml("{type: vit, hidden_d: 192, n_heads: 3, n_blocks: 12, n_patches: 14, "
                 "attention: multi_head, position: learned, head: linear, final_norm: true}",
                 "benchmark"),
      "model", problems);
  const std::shared_ptr<Model> model = choice.create(context);
  model->eval();
  const auto backend = backend_for_cpu(model, context);
  const Tensor image = at::randint(0, 256, {1, 3, 224, 224}, at::kByte);
  at::NoGradGuard no_grad;
  for (auto _ : state)
    benchmark::DoNotOptimize(backend->forward({image, {}, {}}).front().data_ptr());
}
BENCHMARK(predict_vit_ti)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace vitrine

// How fast the data set `digits` draws its images, on all cores.
#include <benchmark/benchmark.h>

#include "framework/config/yaml.h"
#include "framework/data/dataset.h"

namespace vitrine {
namespace {

void digits(benchmark::State& state) {
  Problems problems;
  Choice<Dataset> choice;
  choice.read(parse_yaml("{type: digits, train: 200000, test: 1}", "benchmark"), "dataset",
              problems);
  for (auto _ : state) benchmark::DoNotOptimize(choice.create({})->load_train().images.data_ptr());
  state.SetItemsProcessed(state.iterations() * 200'000);
}
BENCHMARK(digits)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace vitrine

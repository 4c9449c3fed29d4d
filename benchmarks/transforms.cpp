// How long each transform of single images takes for an RGB image; benchmarks/transforms.py has
// torchvision's.
#include <benchmark/benchmark.h>

#include "framework/config/yaml.h"
#include "framework/data/image_transform.h"

namespace vitrine {
namespace {

Image smooth(int64_t side) {
  Image out{side, side, 3, {}};
  for (int64_t i = 0; i < side * side * 3; ++i) {
    const int64_t x = i / 3 % side, y = i / 3 / side;
    out.pixels.push_back(static_cast<uint8_t>(20 + x * 9 + y * y / 2 + i % 3 * 40));
  }
  return out;
}

void transform(benchmark::State& state, const std::string& yaml) {
  const int64_t side = state.range(0);
  Problems problems;
  Choice<Transform> choice;
  choice.read(parse_yaml("it: " + yaml, "benchmark").children[0], "transform", problems);
  const auto made = std::dynamic_pointer_cast<ImageTransform>(choice.create({3, side, side}));
  const Image image = smooth(side);
  int64_t number = 0;
  for (auto _ : state) {
    Draws draws(0, 0, number++, 0);
    benchmark::DoNotOptimize(made->apply(image, draws).pixels.data());
  }
  state.SetItemsProcessed(state.iterations());
}

[[maybe_unused]] const bool registered = [] {
  for (const char* yaml :
       {"random_crop", "random_resized_crop", "flip", "color_jitter",
        "{type: color_jitter, hue: 0.1}", "{type: grayscale, p: 1}", "{type: random_erasing, p: 1}",
        "rand_augment", "trivial_augment", "three_augment"})
    benchmark::RegisterBenchmark(yaml, transform, yaml)->Arg(32)->Arg(224);
  return true;
}();

}  // namespace
}  // namespace vitrine

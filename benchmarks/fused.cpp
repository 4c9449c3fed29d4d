// The kernel of the encoder fused: one group of images, one thread.
//   cmake --build build/release --target micro_benchmarks && build/release/micro_benchmarks
#include <benchmark/benchmark.h>

#include <algorithm>
#include <random>
#include <vector>

#include "models/encoder/fused/batch.h"

namespace vitrine::fused {
namespace {

// A ViT on MNIST with the given width, heads and blocks, and memory for one group of images.
class Fixture {
 public:
  Fixture(size_t d, size_t heads, size_t blocks, bool per_head) {
    net_.channels = 1;
    net_.height = net_.width = 28;
    net_.rows = net_.columns = 7;
    net_.d = d;
    net_.heads = heads;
    net_.hidden = 4 * d;
    net_.tasks = 1;
    values_.reserve(blocks * 20 * d * d);
    net_.embedding = linear(d, 16);
    net_.special_tokens = {parameter(d)};
    for (size_t i = 0; i < blocks; ++i) net_.blocks.push_back(block(per_head));
    const size_t n = group_size();
    state_.reserve(group_state(net_).size * n);
    scratch_.reserve(scratch_of(net_).size * n);
    pooled_.resize(n * d, 0.1f);
    gradients_.resize(net_.gradient_count);
    pixels_.resize(n * net_.pixels());
    for (uint8_t& pixel : pixels_) pixel = static_cast<uint8_t>(random_());
    input_.bytes = pixels_.data();
    group_ = {0, n, state_.at(0), scratch_.at(0)};
  }

  void forward() { fused::forward(net_, input_, group_, pooled_.data()); }
  void backward() {
    fused::backward(net_, input_, group_, pooled_.data(), gradients_.data(), nullptr);
  }

 private:
  Parameter parameter(size_t count) {
    const size_t at = values_.size();
    if (at + count > values_.capacity()) throw std::length_error("parameters");
    for (size_t i = 0; i < count; ++i)
      values_.push_back(std::uniform_real_distribution<float>(-0.3f, 0.3f)(random_));
    net_.gradient_count += count;
    return {values_.data() + at, at};
  }
  Linear linear(size_t out, size_t in, size_t from = 0) {
    Linear l;
    l.weight = parameter(out * in);
    l.bias = parameter(out);
    l.out = out;
    l.in = in;
    l.from = l.to = from;
    return l;
  }
  Block block(bool per_head) {
    const size_t d = net_.d, maps = per_head ? net_.heads : 1, width = d / maps;
    Block out;
    out.norm1 = {parameter(d), parameter(d), 1e-5f};
    for (auto* list : {&out.q, &out.k, &out.v}) {
      for (size_t i = 0; i < maps; ++i) list->push_back(linear(width, width, i * width));
    }
    if (!per_head) out.projection = linear(d, d);
    out.norm2 = {parameter(d), parameter(d), 1e-5f};
    out.fc1 = linear(net_.hidden, d);
    out.fc2 = linear(d, net_.hidden);
    return out;
  }

  std::mt19937 random_;
  Network net_;
  std::vector<float> values_, pooled_, gradients_;
  std::vector<uint8_t> pixels_;
  Memory state_, scratch_;
  Input input_;
  Group group_;
};

void run(benchmark::State& state, bool backward) {
  Fixture fixture(static_cast<size_t>(state.range(0)), static_cast<size_t>(state.range(1)),
                  static_cast<size_t>(state.range(2)), state.range(0) == 8);
  fixture.forward();
  for (auto _ : state) {
    if (backward) {
      fixture.backward();
    } else {
      fixture.forward();
    }
  }
  state.SetLabel(instruction_set());
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(group_size()));
}

void forward(benchmark::State& state) { run(state, false); }
void backward(benchmark::State& state) { run(state, true); }

void shapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"hidden_d", "n_heads", "n_blocks"});
  benchmark->Args({8, 2, 2})
      ->Args({16, 4, 4})
      ->Args({32, 4, 4})
      ->Args({64, 4, 4})
      ->Args({192, 3, 2});
  benchmark->Unit(benchmark::kMicrosecond);
}
BENCHMARK(forward)->Apply(shapes);
BENCHMARK(backward)->Apply(shapes);

}  // namespace
}  // namespace vitrine::fused

// What a step costs besides computing, where several processes share it: the sum of gradients over
// the chunks of a batch, and the outputs of 128 images gathered.
//   mpirun -n 2 exchange FLOATS CHUNKS [REPETITIONS]
// Prints the hash of the sums, which is the same for any number of processes, and medians in
// microseconds.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "framework/error.h"
#include "framework/files/sha256.h"
#include "framework/kernel/chunk_sums.h"
#include "framework/ranks/ranks.h"

namespace {

using Clock = std::chrono::steady_clock;

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Numbers of many sizes, so that the order of a sum shows in its bits.
std::vector<float> made_up(size_t chunk, size_t size) {
  std::vector<float> out(size);
  uint64_t state = chunk * 7919 + 1;
  for (float& number : out) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    number = std::ldexp(static_cast<float>(static_cast<int32_t>(state >> 32)),
                        -40 + static_cast<int>(state >> 20 & 15));
  }
  return out;
}

int measure(size_t size, size_t count, int times) {
  vitrine::join_ranks();
  vitrine::Ranks& ranks = vitrine::ranks();
  std::vector<size_t> starts;
  for (size_t i = 0; i <= ranks.count(); ++i) starts.push_back(count * i / ranks.count());
  vitrine::Chunks chunks;
  chunks.count = count;
  chunks.first = starts[ranks.index()];
  chunks.end = starts[ranks.index() + 1];
  chunks.is_tree = count > 32;
  chunks.starts = starts.data();
  std::vector<std::vector<float>> own;
  for (size_t chunk = chunks.first; chunk < chunks.end; ++chunk)
    own.push_back(made_up(chunk, size));
  vitrine::Team team;
  vitrine::ChunkSums sums(team);
  std::vector<float> gradients(size);
  constexpr size_t kImages = 128, kOutputs = 11;
  std::vector<float> outputs(kImages * kOutputs);
  std::vector<size_t> rows;
  for (size_t i = 0; i <= ranks.count(); ++i)
    rows.push_back(kImages * i / ranks.count() * kOutputs * sizeof(float));
  std::vector<double> summing, copying, gathering, agreeing;
  const auto timed = [](std::vector<double>& to, const auto& work) {
    const auto begin = Clock::now();
    work();
    to.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begin).count());
  };
  vitrine::Sharing* sharing = ranks.is_alone() ? nullptr : &ranks;
  for (int i = 0; i < times; ++i) {
    timed(agreeing, [&] { ranks.largest(0); });
    timed(summing, [&] {
      sums.add_up(chunks, size, 1, sharing, gradients.data(), [&](size_t chunk, size_t, float* to) {
        std::memcpy(to, own[chunk - chunks.first].data(), size * sizeof(float));
      });
    });
    timed(gathering, [&] { ranks.gather(outputs.data(), rows); });
  }
  const std::string bytes(reinterpret_cast<const char*>(gradients.data()), size * sizeof(float));
  if (ranks.is_first()) {
    fmt::print(
        "{} ranks, {} floats in {} chunks: SHA-256 {}, sum {:.0f}, outputs {:.0f}, agreement "
        "{:.0f} us\n",
        ranks.count(), size, count, vitrine::sha256_hex(bytes).substr(0, 12), median(summing),
        median(gathering), median(agreeing));
  }
  ranks.leave(0);
  return 0;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 3) throw std::runtime_error("exchange FLOATS CHUNKS [REPETITIONS]");
  const int code = measure(std::strtoull(argv[1], nullptr, 10), std::strtoull(argv[2], nullptr, 10),
                           argc > 3 ? std::atoi(argv[3]) : 50);
  std::_Exit(code);
} catch (const std::exception& error) {
  fmt::print(stderr, "{}\n", error.what());
  return 1;
}

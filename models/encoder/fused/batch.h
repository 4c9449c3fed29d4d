#pragma once

#include <functional>
#include <memory>

#include "models/encoder/fused/network.h"

namespace vitrine::fused {

// Memory for vectors. Its content is undefined after it has grown.
class Memory {
 public:
  void reserve(size_t floats);
  float* at(size_t offset) const { return memory_.get() + offset; }

 private:
  struct Free {
    void operator()(float* p) const;
  };
  std::unique_ptr<float, Free> memory_;
  size_t size_ = 0;
};

// Runs batches through a network, on several threads. A batch is cut into the same groups, and
// gradients are summed in the same order, whatever the number of threads: so are the bits.
class Batches {
 public:
  Batches();
  ~Batches();

  // pooled: [batch, tasks, D]. `kept` gets what backward needs; without it nothing is kept.
  void forward(const Network& network, const Input& input, size_t batch, int threads, float* pooled,
               Memory* kept);
  // Writes the sums over the batch to `gradients` (gradient_count floats), and, where it is given,
  // `token_gradients` [batch, patches, D].
  void backward(const Network& network, const Input& input, size_t batch, int threads,
                const Memory& kept, const float* pooled_gradients, float* gradients,
                float* token_gradients);

 private:
  struct Team;
  using Run = std::function<void(size_t index, size_t thread)>;

  // Calls `run` for each index below `count`, by as many threads as find the time: where another
  // program keeps a core busy, the others do its work. (OpenMP would wait for every thread.)
  void in_parallel(size_t count, int threads, const Run& run);

  Memory scratch_, partial_;
  std::unique_ptr<Team> team_;
};

}  // namespace vitrine::fused

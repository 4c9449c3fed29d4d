#pragma once

#include <cstddef>
#include <functional>

#include "framework/kernel/memory.h"
#include "framework/kernel/sharing.h"
#include "framework/kernel/team.h"

namespace vitrine {

// The chunks of a batch: their gradients are added up in one order, whatever the number of threads
// and processes, and so are the bits.
struct Chunks {
  size_t count = 0;                // of all processes
  size_t first = 0, end = 0;       // [first, end) are this process's
  bool is_tree = false;            // added up by a binary tree, instead of one after the other
  const size_t* starts = nullptr;  // where those of each process begin, and the end of the last

  size_t process_of(size_t chunk) const {
    size_t process = 0;
    while (starts[process + 1] <= chunk) ++process;
    return process;
  }
};

// Adds up gradients of chunks.
class ChunkSums {
 public:
  explicit ChunkSums(Team& team) : team_(team) {}

  // Adds a chunk's gradients to `sums`.
  using Work = std::function<void(size_t chunk, size_t thread, float* sums)>;

  // Writes the sums over all chunks (`size` floats) to `gradients`. `sharing`: null where this
  // process has them all.
  void add_up(const Chunks& chunks, size_t size, int threads, Sharing* sharing, float* gradients,
              const Work& work);

 private:
  void one_by_one(const Chunks& chunks, size_t size, int threads, float* gradients,
                  const Work& work);
  void in_turns(const Chunks& chunks, size_t size, int threads, float* gradients, const Work& work);
  void along_processes(const Chunks& chunks, size_t size, int threads, Sharing& sharing,
                       float* gradients, const Work& work);
  void by_tree(const Chunks& chunks, size_t size, int threads, Sharing* sharing, float* gradients,
               const Work& work);
  void compute(const Chunks& chunks, size_t size, int threads, const Work& work);

  Team& team_;
  VectorMemory partial_;
};

}  // namespace vitrine

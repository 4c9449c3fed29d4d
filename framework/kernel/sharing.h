#pragma once

#include <cstddef>
#include <vector>

namespace vitrine {

// Processes that compute the same batches together, each a part of every batch. All call the same
// functions in the same order. Throw Error where one of them is lost.
class Sharing {
 public:
  virtual ~Sharing() = default;

  virtual size_t index() const = 0;  // of this process
  virtual size_t count() const = 0;  // of all

  // Bytes [starts[i], starts[i + 1]) of `all` are those of process i; afterwards each has them all.
  virtual void gather(void* all, const std::vector<size_t>& starts) = 0;
  // The numbers may not change until `finish`.
  virtual void send(size_t to, const float* numbers, size_t count) = 0;
  virtual void receive(size_t from, float* numbers, size_t count) = 0;
  // Returns when all that was sent has left.
  virtual void finish() = 0;
  // From one process to all others.
  virtual void broadcast(size_t from, void* bytes, size_t size) = 0;
};

}  // namespace vitrine

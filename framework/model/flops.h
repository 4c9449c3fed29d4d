#pragma once

#include <cstdint>

namespace vitrine {

// Counts the floating-point operations of matrix products, convolutions and attention that the
// calling thread starts while it lives, whichever module they are in; a multiplication with its
// addition counts two. What is done per element (norms, activations) is not counted. One at a time
// on a thread.
class FlopCounter {
 public:
  FlopCounter();
  ~FlopCounter();
  FlopCounter(const FlopCounter&) = delete;
  FlopCounter& operator=(const FlopCounter&) = delete;

  int64_t count() const;  // since it was made

  static void add(int64_t flops);  // for a kernel of our own

 private:
  uint64_t callback_;
  int64_t start_;
};

}  // namespace vitrine

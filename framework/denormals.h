#pragma once

#include <cstdint>

namespace vitrine {

// Has the calling thread, and all that it starts from now on, take numbers too small for a float's
// full precision for zero, read or computed: on many processors each costs a hundred times what
// others do, and a model whose softmax is saturated is full of them. So it is called before any
// thread that computes is started. Where a processor has no such mode, nothing changes.
void flush_denormals();
// Whether the calling thread does so.
bool flushes_denormals();

// Has the calling thread do so until this goes, where it is somebody else's.
class FlushingDenormals {
 public:
  FlushingDenormals();
  ~FlushingDenormals();
  FlushingDenormals(const FlushingDenormals&) = delete;
  FlushingDenormals& operator=(const FlushingDenormals&) = delete;

 private:
  uint64_t before_;
};

}  // namespace vitrine

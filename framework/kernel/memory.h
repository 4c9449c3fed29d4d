#pragma once

#include <cstddef>
#include <memory>

namespace vitrine {

// Memory for vectors. Its content is undefined after it has grown.
class VectorMemory {
 public:
  // Throws std::bad_alloc. Returns whether it has moved.
  bool reserve(size_t floats);
  float* at(size_t offset) const { return memory_.get() + offset; }

 private:
  struct Free {
    void operator()(float* p) const;
  };
  std::unique_ptr<float, Free> memory_;
  size_t size_ = 0;
};

}  // namespace vitrine

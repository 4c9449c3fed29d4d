#include "framework/kernel/memory.h"

#include <cstdlib>
#include <new>

#include "framework/memory.h"

namespace vitrine {
namespace {

constexpr size_t kAlignment = 64;

}  // namespace

bool VectorMemory::reserve(size_t floats) {
  if (floats <= size_) return false;
  memory_.reset();
  const size_t bytes = (floats * sizeof(float) + kAlignment - 1) / kAlignment * kAlignment;
  memory_.reset(static_cast<float*>(std::aligned_alloc(kAlignment, bytes)));
  if (!memory_) throw std::bad_alloc();
  use_huge_pages(memory_.get(), bytes);
  size_ = floats;
  return true;
}

void VectorMemory::Free::operator()(float* p) const { std::free(p); }

}  // namespace vitrine

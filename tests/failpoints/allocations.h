#pragma once

#include <cstdint>
#include <cstdlib>
#include <new>

// Stands in for what allocates memory, so that it can be made to fail. To be included by the one
// source of a program.
namespace vitrine::failpoints {

inline int64_t allocations_left = 0;  // until one fails; 0: none does
inline bool fails_for_ever = false, has_failed = false;

inline void fail_allocation(int64_t at, bool for_ever) {
  allocations_left = at;
  fails_for_ever = for_ever;
  has_failed = false;
}

inline void* allocate(std::size_t size) {
  if (allocations_left > 0 && --allocations_left == 0) {
    if (fails_for_ever) allocations_left = 1;
    has_failed = true;
    throw std::bad_alloc();
  }
  void* const out = std::malloc(size == 0 ? 1 : size);
  if (!out) throw std::bad_alloc();
  return out;
}

}  // namespace vitrine::failpoints

void* operator new(std::size_t size) { return vitrine::failpoints::allocate(size); }
void* operator new[](std::size_t size) { return vitrine::failpoints::allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

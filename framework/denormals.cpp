#include "framework/denormals.h"

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

namespace vitrine {
namespace {

// The register that says how a thread computes, and its bits for this.
#if defined(__SSE2__)
constexpr uint64_t kFlushing = 0x8040;  // results (FTZ) and operands (DAZ)
uint64_t control() { return _mm_getcsr(); }
void set_control(uint64_t value) { _mm_setcsr(static_cast<uint32_t>(value)); }
#elif defined(__aarch64__)
constexpr uint64_t kFlushing = uint64_t{1} << 24;  // FZ: both
uint64_t control() {
  uint64_t value;
  asm volatile("mrs %0, fpcr" : "=r"(value));
  return value;
}
void set_control(uint64_t value) { asm volatile("msr fpcr, %0" : : "r"(value)); }
#else
constexpr uint64_t kFlushing = 1;
uint64_t control() { return 0; }
void set_control(uint64_t) {}
#endif

}  // namespace

void flush_denormals() { set_control(control() | kFlushing); }

bool flushes_denormals() { return (control() & kFlushing) == kFlushing; }

FlushingDenormals::FlushingDenormals() : before_(control()) { flush_denormals(); }
FlushingDenormals::~FlushingDenormals() { set_control(before_); }

}  // namespace vitrine

#pragma once

#include <cpuid.h>
#include <hwy/targets.h>

namespace vitrine::infer {

// Of the instruction sets that are compiled for (framework/simd/targets.h) those that this
// processor has, as bits of Highway's: what hwy::SupportedTargets() tells.
inline int64_t supported_targets() {
  const auto has_bit = [](unsigned leaf, unsigned bit) {  // of ecx
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid(leaf, &a, &b, &c, &d) != 0 && (c >> bit & 1) != 0;
  };
  __builtin_cpu_init();
  int64_t out = HWY_EMU128;
  if (!__builtin_cpu_supports("sse4.2") || !__builtin_cpu_supports("aes") ||
      !__builtin_cpu_supports("pclmul"))
    return out;
  out |= HWY_SSE4;
  const bool has_lzcnt = has_bit(0x80000001, 5), has_f16c = has_bit(1, 29);
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") ||
      !__builtin_cpu_supports("bmi") || !__builtin_cpu_supports("bmi2") || !has_lzcnt || !has_f16c)
    return out;
  out |= HWY_AVX2;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512cd"))
    out |= HWY_AVX3;
  return out;
}

}  // namespace vitrine::infer

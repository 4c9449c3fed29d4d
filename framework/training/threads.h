#pragma once

#include <cstdint>

namespace vitrine {

// How many threads this process computes with on the CPU: libtorch, and whatever runs threads of
// its own.
int compute_threads();
void set_compute_threads(int64_t threads);

}  // namespace vitrine

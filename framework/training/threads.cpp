#include "framework/training/threads.h"

#include <ATen/Parallel.h>

#include <algorithm>

#include "framework/cpus.h"

namespace vitrine {
namespace {

int chosen = 0;  // 0: libtorch's own choice, as far as this process may use so many

}  // namespace

int compute_threads() {
  // Asked before a model with threads of its own holds libtorch to one.
  static const int initial = std::min(at::get_num_threads(), static_cast<int>(allowed_cpus()));
  return chosen > 0 ? chosen : initial;
}

void set_compute_threads(int64_t threads) {
  chosen = static_cast<int>(threads);
  at::set_num_threads(chosen);
}

}  // namespace vitrine

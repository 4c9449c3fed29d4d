#include "framework/training/threads.h"

#include <ATen/Parallel.h>

namespace vitrine {
namespace {

int chosen = 0;  // 0: libtorch's own choice

}  // namespace

int compute_threads() {
  // Asked before a model with threads of its own holds libtorch to one.
  static const int initial = at::get_num_threads();
  return chosen > 0 ? chosen : initial;
}

void set_compute_threads(int64_t threads) {
  chosen = static_cast<int>(threads);
  at::set_num_threads(chosen);
}

}  // namespace vitrine

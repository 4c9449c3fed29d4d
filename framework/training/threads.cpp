#include "framework/training/threads.h"

#include <ATen/Parallel.h>
#include <unistd.h>

#include <algorithm>

#include "framework/cpus.h"
#include "framework/ranks/ranks.h"

namespace vitrine {
namespace {

int chosen = 0;  // 0: libtorch's own choice, as far as this process may use so many

// The cores that this process may use; those that no launcher gave to one rank alone are shared out
// among the ranks of this machine.
int64_t own_cpus() {
  const int64_t allowed = allowed_cpus(), here = ranks().on_this_host();
  if (here == 1) return allowed;
  return std::max<int64_t>(1, std::min(allowed, sysconf(_SC_NPROCESSORS_ONLN) / here));
}

}  // namespace

int compute_threads() {
  // Asked before a model with threads of its own holds libtorch to one.
  static const int initial = std::min(at::get_num_threads(), static_cast<int>(own_cpus()));
  return chosen > 0 ? chosen : initial;
}

void set_compute_threads(int64_t threads) {
  chosen = static_cast<int>(threads);
  at::set_num_threads(chosen);
}

}  // namespace vitrine

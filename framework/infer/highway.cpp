// What the kernel calls of Highway's library, for libraries that are to be loaded at once: in that
// of Debian 12 a constructor measures the clock for some milliseconds, longer than all else until
// the first answer. Of other processors, and of versions that call more, the library is linked.
#ifdef __x86_64__
#include <hwy/aligned_allocator.h>

#include <cstdlib>

#include "framework/infer/instruction_sets.h"

namespace hwy {

ChosenTarget& GetChosenTarget() {
  static ChosenTarget chosen;
  return chosen;
}

int64_t SupportedTargets() { return vitrine::infer::supported_targets(); }

void* AllocateAlignedBytes(size_t size, AllocPtr /*allocate*/, void* /*of*/) {
  const size_t whole = (size + HWY_ALIGNMENT - 1) / HWY_ALIGNMENT * HWY_ALIGNMENT;
  return std::aligned_alloc(HWY_ALIGNMENT, whole);
}

void FreeAlignedBytes(const void* memory, FreePtr /*release*/, void* /*of*/) {
  std::free(const_cast<void*>(memory));
}

}  // namespace hwy
#endif

#pragma once

#include <hwy/targets.h>

#include "tests/catch.h"

namespace vitrine {

// Runs `check` with each of the instruction sets that this machine has and kernels are compiled
// for, then goes back to the best.
template <class Check>
void with_each_instruction_set(const Check& check) {
  const int64_t all = hwy::SupportedTargets();
  for (int64_t rest = all; rest != 0; rest &= rest - 1) {
    const int64_t target = rest & -rest;
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(target);
    INFO("instruction set " << hwy::TargetName(target));
    check();
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(all);
}

}  // namespace vitrine

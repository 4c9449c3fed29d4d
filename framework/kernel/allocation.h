#pragma once

#include "framework/kernel/plan.h"

namespace vitrine {

// Gives each buffer of a plan whose actions are complete a place that is free whenever it is in
// use, and says how large the two pieces of memory are. Those that backward needs are kept where it
// comes at another time.
void allocate(ExecutionPlan& plan, Pass pass);

// The same plan with a cache line between rows of matrices that would else share a few sets of the
// nearest cache, where they push each other out: those of a multiple of 16 elements. `unit`: floats
// of an element. Results keep their bits.
void space_rows(ExecutionPlan& plan, Pass pass, size_t unit);

}  // namespace vitrine

#pragma once

#include "framework/kernel/plan.h"

namespace vitrine {

// Gives each buffer of a plan whose actions are complete a place that is free whenever it is in
// use, and says how large the two pieces of memory are. Of buffers marked as kept those stay so
// that the backward pass of another time reads.
void allocate(ExecutionPlan& plan, Pass pass);

}  // namespace vitrine

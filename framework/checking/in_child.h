#pragma once

#include <functional>

#include "framework/engine/check.h"

namespace vitrine {

// What `act` finds in a process of its own, so that a component may crash, hang or leave state
// behind without harm to the rest. An exception, a crash, an exit, and no end within two minutes
// are faults. Throws Error(kFailed) where the disk is full, which is none.
Finding in_child(const std::function<Finding()>& act);

}  // namespace vitrine

// Calls a function that nobody defines.
#include "framework/registry/register.h"

void nobody_defines_this();

[[maybe_unused]] static const bool called = (nobody_defines_this(), true);

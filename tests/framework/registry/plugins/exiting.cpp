// Ends the process as it is loaded.
#include <cstdlib>

#include "framework/registry/register.h"

[[maybe_unused]] static const bool ended = (std::exit(3), true);

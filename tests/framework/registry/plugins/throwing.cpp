// Throws as it is loaded.
#include <stdexcept>

#include "framework/registry/register.h"

[[maybe_unused]] static const bool thrown =
    (throw std::runtime_error("no licence\nfor today"), true);

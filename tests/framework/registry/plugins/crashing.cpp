// Crashes as it is loaded.
#include <csignal>

#include "framework/registry/register.h"

[[maybe_unused]] static const bool crashed = (std::raise(SIGSEGV), true);

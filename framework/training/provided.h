#pragma once

namespace vitrine {

// A function of a library beside this one that is built only where what it needs is there; null
// where it is not. Throws Error(kUsage) where it cannot be loaded.
void* provided(const char* library, const char* function);

}  // namespace vitrine

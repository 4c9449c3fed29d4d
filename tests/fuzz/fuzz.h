#pragma once

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "framework/error.h"

// Defines libFuzzer's entry point: `check` is given bytes that it may refuse with a vitrine::Error;
// any other exception, and every finding of a sanitizer, ends the program.
#define VITRINE_FUZZ_TARGET(check)                                          \
  extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) { \
    try {                                                                   \
      check(std::string_view(reinterpret_cast<const char*>(data), size));   \
    } catch (const vitrine::Error&) {                                       \
    }                                                                       \
    return 0;                                                               \
  }                                                                         \
  static_assert(true)

namespace vitrine {

// What must hold for anything that a reader accepted.
inline void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace vitrine

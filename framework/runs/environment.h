#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace vitrine {

// Where the results come from: "vitrine", "git" (the commit of the build, "-dirty" when it had
// changes, "unknown" outside a repository), "compiler", "build" (of the libraries that are loaded
// now), "cpu", "isa" (avx512, avx2, sse4, neon or generic) and "cores" of the machine. Training
// adds torch, torch_isa, threads and device.
nlohmann::ordered_json describe_environment();

std::string utc_now();         // "2026-11-22T10:15:00Z"
uint64_t peak_memory_bytes();  // resident; 0 where the system does not tell

}  // namespace vitrine

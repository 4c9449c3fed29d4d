#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "framework/runs/build.h"

namespace vitrine {

// Where the results come from: "vitrine", "git" (the commit that was built, "-dirty" when something
// compiled was not as it has it, "unknown" outside a repository), "sources" (SHA-256 of all that
// was compiled; these two are the engine's, "unknown" without it), "compiler", "build" (of the
// libraries that are loaded now), where there are any "plugins" (as to_json has them), "cpu", "isa"
// (avx512, avx2, sse4, neon or generic) and "cores" (allowed_cpus). Training adds torch, torch_isa,
// denormals, threads and device.
nlohmann::ordered_json describe_environment();

// {"name", "sources"}, and "libraries" ({name: SHA-256}) where it links some of its own.
nlohmann::ordered_json to_json(const CodeVersion& plugin);

std::string utc_now();         // "2026-11-22T10:15:00Z"
uint64_t peak_memory_bytes();  // resident; 0 where the system does not tell

}  // namespace vitrine

#include "framework/runs/environment.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/utsname.h>

#include <ctime>
#include <fstream>

#include "framework/cpus.h"
#include "framework/runs/build.h"

namespace vitrine {

namespace {

// What follows the colon in the first line of `file` that begins with `key`; empty when none does.
std::string value_of(const char* file, std::string_view key) {
  std::ifstream input(file);
  for (std::string line; std::getline(input, line);) {
    if (!line.starts_with(key)) continue;
    const size_t begin = line.find_first_not_of(" \t", line.find(':') + 1);
    return begin == std::string::npos ? "" : line.substr(begin);
  }
  return "";
}

std::string compiler() {
#if defined(__clang__)
  return fmt::format("clang {}.{}.{}", __clang_major__, __clang_minor__, __clang_patchlevel__);
#elif defined(__GNUC__)
  return "gcc " __VERSION__;
#else
  return "unknown";
#endif
}

std::string cpu_model() {
  std::string model = value_of("/proc/cpuinfo", "model name");
  if (!model.empty()) return model;
  utsname system{};
  return ::uname(&system) == 0 ? system.machine : "unknown";
}

std::string instruction_set() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return "avx512";
  if (__builtin_cpu_supports("avx2")) return "avx2";
  if (__builtin_cpu_supports("sse4.2")) return "sse4";
#elif defined(__aarch64__)
  return "neon";
#endif
  return "generic";
}

}  // namespace

nlohmann::ordered_json to_json(const CodeVersion& plugin) {
  nlohmann::ordered_json out = {{"name", plugin.name}, {"sources", plugin.sources}};
  if (!plugin.libraries.empty()) out["libraries"] = plugin.libraries;
  return out;
}

nlohmann::ordered_json describe_environment() {
  const LoadedCode code = loaded_code();
  nlohmann::ordered_json out = {{"vitrine", VITRINE_VERSION},
                                {"git", code.program.commit},
                                {"sources", code.program.sources},
                                {"compiler", compiler()},
                                {"build", code.build}};
  for (const CodeVersion& plugin : code.plugins) out["plugins"].push_back(to_json(plugin));
  out.update({{"cpu", cpu_model()}, {"isa", instruction_set()}, {"cores", allowed_cpus()}});
  return out;
}

std::string utc_now() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

uint64_t peak_memory_bytes() {
  const std::string kibibytes = value_of("/proc/self/status", "VmHWM:");
  return kibibytes.empty() ? 0 : std::stoull(kibibytes) * 1024;
}

}  // namespace vitrine

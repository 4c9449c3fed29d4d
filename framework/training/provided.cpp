#include "framework/training/provided.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <filesystem>

#include "framework/error.h"
#include "framework/registry/plugin.h"

namespace vitrine {

void* provided(const char* library, const char* function) {
  const std::filesystem::path file = library_folder() / library;
  std::error_code error;
  if (!std::filesystem::exists(file, error)) return nullptr;
  void* handle = dlopen(file.c_str(), RTLD_NOW);
  void* out = handle ? dlsym(handle, function) : nullptr;
  if (out) return out;
  const char* why = dlerror();
  throw Error(ExitCode::kUsage, fmt::format("{} cannot be loaded: {}", escape(file.string()),
                                            escape(why ? why : "unknown")));
}

}  // namespace vitrine

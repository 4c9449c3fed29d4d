#include "framework/sweeps/frozen_code.h"

#include <fmt/format.h>

#include "framework/error.h"
#include "framework/files/file.h"
#include "framework/registry/plugin.h"

namespace vitrine {

namespace fs = std::filesystem;

namespace {

constexpr uint64_t kMostBytes = uint64_t{4} << 30;

void freeze(const fs::path& from, const fs::path& to) {
  write_file_atomically(to, read_file(from, kMostBytes));
  std::error_code error;
  fs::permissions(to, fs::status(from, error).permissions(), error);
  if (!error) return;
  throw Error(ExitCode::kFailed, fmt::format("cannot set the permissions of {}: {}",
                                             escape(to.string()), error.message()));
}

}  // namespace

FrozenCode::FrozenCode(fs::path folder) : folder_(std::move(folder)) {
  std::error_code error;
  fs::create_directories(folder_, error);
  freeze("/proc/self/exe", folder_ / "runner");
  for (const char* library : {"libvitrine_core.so", "libvitrine_engine.so"})
    freeze(library_folder() / library, folder_ / library);
}

void FrozenCode::take_plugins(Node& config) {
  Node* plugins = config.find("plugins");
  if (!plugins) return;
  for (Node& plugin : plugins->children) {
    if (fs::path(plugin.scalar).parent_path() == folder_) continue;  // a copy already
    std::string& copied = plugins_[plugin.scalar];
    if (copied.empty()) {
      // Two of one name may come from different folders.
      copied = folder_ / fmt::format("plugin-{}-{}", plugins_.size(),
                                     fs::path(plugin.scalar).filename().string());
      freeze(plugin.scalar, copied);
    }
    plugin.scalar = copied;
  }
}

}  // namespace vitrine

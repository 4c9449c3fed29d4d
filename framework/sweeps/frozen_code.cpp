#include "framework/sweeps/frozen_code.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <fstream>

#include "framework/error.h"
#include "framework/files/file.h"
#include "framework/files/temporary_file.h"
#include "framework/registry/plugin.h"
#include "framework/registry/trust.h"

namespace vitrine {

namespace fs = std::filesystem;

namespace {

constexpr uint64_t kMostBytes = uint64_t{4} << 30;
constexpr const char* kProgram = "runner";
constexpr const char* kLibraries[] = {"libvitrine_core.so", "libvitrine_engine.so"};
constexpr const char* kPlugin = "plugin-";

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
  freeze("/proc/self/exe", folder_ / kProgram);
  for (const char* library : kLibraries) freeze(library_folder() / library, folder_ / library);
}

namespace {

bool have_same_bytes(const fs::path& a, const fs::path& b) {
  std::error_code error;
  if (fs::file_size(a, error) != fs::file_size(b, error) || error) return false;
  std::ifstream one(a, std::ios::binary), other(b, std::ios::binary);
  std::vector<char> bytes(size_t{1} << 20), others(bytes.size());
  const auto size = static_cast<std::streamsize>(bytes.size());
  while (one && other) {
    one.read(bytes.data(), size);
    other.read(others.data(), size);
    const auto count = static_cast<size_t>(one.gcount());
    if (one.gcount() != other.gcount() || std::memcmp(bytes.data(), others.data(), count) != 0)
      return false;
  }
  return one.eof() && other.eof();
}

}  // namespace

CodeOfSweep require_trusted_code(const fs::path& folder) {
  CodeOfSweep out;
  std::error_code error;
  out.is_this_program = have_same_bytes(folder / "runner", "/proc/self/exe");
  if (fs::exists(folder / "runner", error)) out.program.push_back(folder / "runner");
  for (const char* library : kLibraries) {
    out.is_this_program =
        out.is_this_program && have_same_bytes(folder / library, library_folder() / library);
    if (fs::exists(folder / library, error)) out.program.push_back(folder / library);
  }
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().filename().string().starts_with(kPlugin))
      out.plugins.push_back(entry->path());
  }
  std::sort(out.plugins.begin(), out.plugins.end());
  const auto check = [&](const fs::path& file, const char* what) {
    const std::string warning = require_trusted(file, what + escape(file.string()));
    if (!warning.empty()) out.warnings.push_back(warning);
  };
  for (const fs::path& file : out.program) check(file, "the sweep's own copy of the program, ");
  for (const fs::path& file : out.plugins) check(file, "the sweep's own copy of a plug-in, ");
  return out;
}

void FrozenCode::remove(const fs::path& folder) {
  std::error_code ignored;
  remove_temporaries(folder);
  fs::remove(folder / kProgram, ignored);
  for (const char* library : kLibraries) fs::remove(folder / library, ignored);
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().filename().string().starts_with(kPlugin)) fs::remove(entry, ignored);
  }
  fs::remove(folder, ignored);  // if it is empty
}

void FrozenCode::take_plugins(Node& config) {
  Node* plugins = config.find("plugins");
  if (!plugins) return;
  for (Node& plugin : plugins->children) {
    if (fs::path(plugin.scalar).parent_path() == folder_) continue;  // a copy already
    std::string& copied = plugins_[plugin.scalar];
    if (copied.empty()) {
      // Two of one name may come from different folders.
      copied = folder_ / fmt::format("{}{}-{}", kPlugin, plugins_.size(),
                                     fs::path(plugin.scalar).filename().string());
      freeze(plugin.scalar, copied);
    }
    plugin.scalar = copied;
  }
}

}  // namespace vitrine

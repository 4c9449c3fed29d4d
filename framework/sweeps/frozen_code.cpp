#include "framework/sweeps/frozen_code.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <fstream>

#include "framework/error.h"
#include "framework/files/file.h"
#include "framework/files/temporary_file.h"
#include "framework/registry/linked_libraries.h"
#include "framework/registry/plugin.h"
#include "framework/registry/trust.h"

namespace vitrine {

namespace fs = std::filesystem;

namespace {

constexpr uint64_t kMostBytes = uint64_t{4} << 30;
constexpr const char* kProgram = "runner";
constexpr const char* kLibraries[] = {"libvitrine_core.so", "libvitrine_engine.so",
                                      // Not every build has these.
                                      "libvitrine_mpi.so", "libvitrine_cuda.so",
                                      "libvitrine_nccl.so"};
constexpr size_t kInEveryBuild = 2;  // of them
// Of an installed program: libraries of others', which are not copied, in folders beside its own.
constexpr const char* kBeside[] = {"deps", "torch"};
constexpr const char* kPlugin = "plugin-";

void freeze(const fs::path& from, const fs::path& to) {
  write_file_atomically(to, read_file(from, kMostBytes));
  std::error_code error;
  fs::permissions(to, fs::status(from, error).permissions(), error);
  if (!error) return;
  throw Error(ExitCode::kFailed, fmt::format("cannot set the permissions of {}: {}",
                                             escape(to.string()), error.message()));
}

// Copies what a plug-in finds beside itself, or by paths that it was linked with, to where the copy
// of the plug-in finds it.
void freeze_linked(const fs::path& plugin, const fs::path& copied) {
  const auto libraries = linked_libraries(plugin);
  const fs::path folder = folder_of_kept_libraries(copied);
  if (!libraries.empty()) Folder::make(folder);
  for (size_t i = 0; i < libraries.size(); ++i) {
    const LinkedLibrary& library = libraries[i];
    freeze(library.file, folder / fmt::format("{:03}-{}", i, library.file.filename().string()));
    if (library.is_found_by_name) continue;
    warn_of_plugin(fmt::format(
        "plug-in {}: it links {}, which does not tell its own name (-soname), so that the sweep "
        "loads it from where it lies: leave it as it is while the sweep runs",
        escape(plugin.string()), escape(library.file.string())));
  }
}

void remove_files(const fs::path& folder) {
  if (const auto held = Folder::find(folder)) {
    for (const std::string& name : held->names()) remove_file(folder / name);
  }
  remove_empty_folder(folder);
}

}  // namespace

FrozenCode::FrozenCode(fs::path folder) : folder_(std::move(folder)) {
  Folder::make(folder_);
  freeze("/proc/self/exe", folder_ / kProgram);
  for (size_t i = 0; i < std::size(kLibraries); ++i) {
    const char* library = kLibraries[i];
    if (i < kInEveryBuild || vitrine::exists(library_folder() / library))
      freeze(library_folder() / library, folder_ / library);
  }
  for (const char* name : kBeside) {
    const fs::path beside = library_folder() / name;
    std::error_code error;
    if (!fs::exists(beside, error)) continue;
    remove_file(folder_ / name);
    fs::create_directory_symlink(fs::canonical(beside), folder_ / name);
  }
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
  out.is_this_program = have_same_bytes(folder / kProgram, "/proc/self/exe");
  if (vitrine::exists(folder / kProgram)) out.program.push_back(folder / kProgram);
  for (size_t i = 0; i < std::size(kLibraries); ++i) {
    const char* library = kLibraries[i];
    const bool is_there = vitrine::exists(folder / library);
    const bool is_wanted = i < kInEveryBuild || vitrine::exists(library_folder() / library);
    out.is_this_program =
        out.is_this_program && is_there == is_wanted &&
        (!is_there || have_same_bytes(folder / library, library_folder() / library));
    if (is_there) out.program.push_back(folder / library);
  }
  if (const auto held = Folder::find(folder)) {
    for (const std::string& name : held->names()) {
      if (!name.starts_with(kPlugin) || is_folder(folder / name)) continue;
      const auto kept = kept_libraries(folder / name);
      out.plugins.insert(out.plugins.end(), kept.begin(), kept.end());
      out.plugins.push_back(folder / name);
    }
  }
  const auto check = [&](const fs::path& file, const char* what) {
    const std::string warning = require_trusted(file, what + escape(file.string()));
    if (!warning.empty()) out.warnings.push_back(warning);
  };
  for (const fs::path& file : out.program) check(file, "the sweep's own copy of the program, ");
  for (const fs::path& file : out.plugins) check(file, "the sweep's own copy of a plug-in, ");
  return out;
}

void FrozenCode::remove(const fs::path& folder) {
  if (!is_folder(folder)) return;
  remove_others(folder, {});
  remove_file(folder / kProgram);
  for (const char* library : kLibraries) remove_file(folder / library);
  for (const char* name : kBeside) remove_file(folder / name);
  remove_empty_folder(folder);
}

void FrozenCode::remove_others(const fs::path& folder, const Plugins& plugins) {
  const auto held = Folder::find(folder);
  if (!held) return;
  remove_temporaries(*held);
  for (const std::string& name : held->names()) {
    // By its name: the folder may have been moved.
    const auto is_of_this = [&](const auto& plugin) {
      const fs::path copied = fs::path(plugin.second).filename();
      return copied == name || folder_of_kept_libraries(copied) == name;
    };
    const bool is_kept = std::any_of(plugins.begin(), plugins.end(), is_of_this);
    if (!name.starts_with(kPlugin) || is_kept) continue;
    is_folder(folder / name) ? remove_files(folder / name) : remove_file(folder / name);
  }
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
      freeze_linked(plugin.scalar, copied);
    }
    plugin.scalar = copied;
  }
}

}  // namespace vitrine

#include "framework/registry/plugin.h"

#include <dlfcn.h>
#include <elf.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>
#include <fstream>
#include <map>
#include <string>

#include "framework/error.h"
#include "framework/files/paths.h"
#include "framework/registry/abi.h"
#include "framework/registry/registry.h"
#include "framework/registry/trial_load.h"
#include "framework/registry/trust.h"

namespace vitrine {
namespace {

using std::literals::operator""sv;

[[noreturn]] void refuse(const std::filesystem::path& library, const std::string& reason) {
  throw Error(ExitCode::kPlugin, fmt::format("plug-in {}: {}", escape(library.string()), reason));
}

template <class T>
T read_at(std::ifstream& in, uint64_t offset) {
  T value{};
  in.seekg(static_cast<std::streamoff>(offset));
  in.read(reinterpret_cast<char*>(&value), sizeof value);
  return value;
}

// The text of the note named "vitrine" among `notes`, empty if there is none.
std::string find_stamp(const std::string& notes) {
  size_t at = 0;
  while (at + sizeof(Elf64_Nhdr) <= notes.size()) {
    Elf64_Nhdr header;
    std::memcpy(&header, notes.data() + at, sizeof header);
    const size_t name = at + sizeof header;
    const size_t text = name + (size_t{header.n_namesz} + 3) / 4 * 4;
    const size_t end = text + (size_t{header.n_descsz} + 3) / 4 * 4;
    if (end > notes.size()) break;
    if (std::string_view(notes).substr(name, header.n_namesz) == "vitrine\0"sv) {
      const std::string stamp = notes.substr(text, header.n_descsz);
      return stamp.substr(0, stamp.find('\0'));
    }
    at = end;
  }
  return "";
}

std::string read_stamp(const std::filesystem::path& library) {
  std::error_code error;
  if (!std::filesystem::exists(library, error)) refuse(library, "no such file");
  if (std::filesystem::is_directory(library, error))
    refuse(library, "a folder, not a shared library");
  if (!std::filesystem::is_regular_file(library, error))
    refuse(library, "not a regular file");  // reading a pipe would wait for its writer
  const uint64_t size = std::filesystem::file_size(library, error);
  std::ifstream in(library, std::ios::binary);
  if (!in) refuse(library, "cannot be read");
  const auto header = read_at<Elf64_Ehdr>(in, 0);
  if (!in || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_type != ET_DYN) {
    refuse(library, "not a shared library");
  }
  constexpr uint64_t kMaxNotes = 1 << 20;
  std::string found;
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    const auto segment = read_at<Elf64_Phdr>(in, header.e_phoff + uint64_t{i} * header.e_phentsize);
    // The loader maps what a file has no bytes for, and ends the process when they are touched.
    if (!in || segment.p_offset > size || segment.p_filesz > size - segment.p_offset)
      refuse(library, "cut off: it is shorter than its header says");
    if (!found.empty() || segment.p_type != PT_NOTE || segment.p_filesz > kMaxNotes) continue;
    std::string notes(segment.p_filesz, '\0');
    in.seekg(static_cast<std::streamoff>(segment.p_offset));
    in.read(notes.data(), static_cast<std::streamsize>(notes.size()));
    found = find_stamp(notes);
  }
  return found;
}

// The library itself knows which torch it was built against; the core does not. The engine's stamp
// is what plug-ins must match.
std::filesystem::path engine_library() { return library_folder() / "libvitrine_engine.so"; }

std::string expected_stamp() {
  static const std::string stamp = read_stamp(engine_library());
  return stamp;
}

// dlerror() begins with the path, which the message names already.
std::string reason_of_dlerror(const std::string& path) {
  std::string reason = dlerror();
  if (reason.starts_with(path + ": ")) reason.erase(0, path.size() + 2);
  return escape(reason);
}

void check_stamp(const std::filesystem::path& path) {
  const std::string stamp = read_stamp(path);
  if (stamp.empty())
    refuse(path, "carries no Vitrine stamp; build it with vitrine_add_plugin (docs/plugins.md)");
  if (stamp != expected_stamp()) {
    refuse(path, fmt::format("was built for \"{}\", this is \"{}\"; build it again", escape(stamp),
                             expected_stamp()));
  }
}

LoadingWords& loading_words() {
  static LoadingWords words;
  return words;
}

// Names a plug-in before its code runs, and runs its constructors where they can do no harm.
void try_plugin(const std::filesystem::path& path, const std::string& warning, int mode) {
  const LoadingWords& words = loading_words();
  if (words.message) words.message("loading the plug-in " + escape(path.string()));
  if (words.warning && !warning.empty()) words.warning(warning);
  const std::string failure = failure_of_loading(path, mode);
  if (!failure.empty()) refuse(path, failure);
}

void open_library(const std::filesystem::path& path, const std::string& warning) {
  Registry& registry = Registry::instance();
  const bool is_engine = path == engine_library();
  // A plug-in that misses a function is refused. Of libtorch, what is not called is not looked up.
  const int mode = (is_engine ? RTLD_LAZY : RTLD_NOW) | RTLD_LOCAL;
  if (!is_engine) try_plugin(path, warning, mode);
  const size_t before = registry.size(), problems = registry.problems().size();
  registry.set_library(is_engine ? "" : path.string());
  const bool opened = dlopen(path.c_str(), mode) != nullptr;
  registry.set_library("");
  if (!opened) refuse(path, reason_of_dlerror(path.string()));
  if (registry.problems().size() > problems) {
    const auto& all = registry.problems();
    const std::vector<std::string> own(all.begin() + static_cast<std::ptrdiff_t>(problems),
                                       all.end());
    refuse(path, fmt::format("{}", fmt::join(own, "\n")));
  }
  if (registry.size() == before) refuse(path, "registered no component");
}

}  // namespace

std::filesystem::path library_folder() {
  Dl_info info{};
  if (!dladdr(reinterpret_cast<const void*>(&library_folder), &info) || !info.dli_fname) return ".";
  return std::filesystem::canonical(info.dli_fname).parent_path();
}

void tell_of_loading(LoadingWords words) { loading_words() = std::move(words); }

void load_plugin(const std::filesystem::path& library) {
  std::error_code error;
  const auto path = std::filesystem::weakly_canonical(std::filesystem::absolute(library), error);
  if (error) refuse(library, error.message());
  // Constructors run once in a process: a library that was refused after they ran stays refused,
  // for the same reason.
  static std::map<std::filesystem::path, std::string> reasons;
  const auto known = reasons.find(path);
  if (known != reasons.end() && known->second.empty()) return;
  if (known != reasons.end()) throw Error(ExitCode::kPlugin, known->second);
  if (!std::filesystem::exists(path, error) && !error)
    refuse(path, "no such file" + counted_from_here(library));
  check_stamp(path);
  const bool is_engine = path == engine_library();
  const std::string warning =
      is_engine ? "" : require_trusted(library, "plug-in " + escape(path.string()));
  try {
    open_library(path, warning);
    reasons[path] = "";
  } catch (const Error& error) {
    reasons[path] = error.what();
    throw;
  }
}

}  // namespace vitrine

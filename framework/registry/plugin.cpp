#include "framework/registry/plugin.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <string>

#include "framework/error.h"
#include "framework/files/paths.h"
#include "framework/registry/library_notes.h"
#include "framework/registry/linked_libraries.h"
#include "framework/registry/registry.h"
#include "framework/registry/trial_load.h"
#include "framework/registry/trust.h"

namespace vitrine {
namespace {

// The library itself knows which torch it was built against; the core does not. The engine's stamp
// is what plug-ins must match.
std::filesystem::path engine_library() { return library_folder() / "libvitrine_engine.so"; }

const LibraryNotes& expected_notes() {
  static const LibraryNotes notes = read_library_notes(engine_library());
  return notes;
}

// dlerror() begins with the path, which the message names already.
std::string reason_of_dlerror(const std::string& path) {
  std::string reason = dlerror();
  if (reason.starts_with(path + ": ")) reason.erase(0, path.size() + 2);
  return escape(reason);
}

void check_stamp(const std::filesystem::path& path) {
  const LibraryNotes notes = read_library_notes(path);
  const LibraryNotes& expected = expected_notes();
  if (notes.stamp.empty())
    refuse_plugin(path,
                  "carries no Vitrine stamp; build it with vitrine_add_plugin (docs/plugins.md)");
  if (notes.stamp != expected.stamp) {
    refuse_plugin(path, fmt::format("was built for \"{}\", this is \"{}\"; build it again",
                                    escape(notes.stamp), expected.stamp));
  }
  if (notes.headers.empty())
    refuse_plugin(path,
                  "does not tell with which headers it was built; build it with "
                  "vitrine_add_plugin (docs/plugins.md)");
  if (notes.headers == expected.headers) return;
  refuse_plugin(path,
                fmt::format("was built with other headers of Vitrine ({}) than this program "
                            "({}), so it would call what is not there; build it again",
                            escape(notes.headers.substr(0, 12)), expected.headers.substr(0, 12)));
}

LoadingWords& loading_words() {
  static LoadingWords words;
  return words;
}

// Names a plug-in before its code runs, and runs its constructors where they can do no harm.
void try_plugin(const std::vector<std::filesystem::path>& libraries, const std::string& warning,
                int mode) {
  const LoadingWords& words = loading_words();
  const std::filesystem::path& path = libraries.back();
  if (words.message) words.message("loading the plug-in " + escape(path.string()));
  if (!warning.empty()) warn_of_plugin(warning);
  const std::string failure = failure_of_loading(libraries, mode);
  if (!failure.empty()) refuse_plugin(path, failure);
}

// What a sweep keeps of what the plug-in links is loaded first, so that it is found in place of the
// originals. Each may be code of anybody's, as the plug-in may.
std::vector<std::filesystem::path> with_kept_libraries(const std::filesystem::path& path,
                                                       std::string& warning) {
  std::vector<std::filesystem::path> out = kept_libraries(path);
  for (const auto& library : out) {
    const std::string more =
        require_trusted(library, "library of the plug-in " + escape(path.string()) + ": " +
                                     escape(library.string()));
    if (warning.empty()) warning = more;
  }
  out.push_back(path);
  return out;
}

void open_library(const std::filesystem::path& path, std::string warning) {
  Registry& registry = Registry::instance();
  const bool is_engine = path == engine_library();
  // A plug-in that misses a function is refused. Of libtorch, what is not called is not looked up.
  const int mode = (is_engine ? RTLD_LAZY : RTLD_NOW) | RTLD_LOCAL;
  std::vector<std::filesystem::path> libraries = {path};
  if (!is_engine) libraries = with_kept_libraries(path, warning);
  if (!is_engine) try_plugin(libraries, warning, mode);
  const size_t before = registry.size(), problems = registry.problems().size();
  registry.set_library(is_engine ? "" : path.string());
  // Of a kept library that cannot be loaded the original would be found.
  const bool opened = std::all_of(libraries.begin(), libraries.end(), [&](const auto& library) {
    return dlopen(library.c_str(), mode) != nullptr;
  });
  registry.set_library("");
  if (!opened) refuse_plugin(path, reason_of_dlerror(path.string()));
  if (registry.problems().size() > problems) {
    const auto& all = registry.problems();
    const std::vector<std::string> own(all.begin() + static_cast<std::ptrdiff_t>(problems),
                                       all.end());
    refuse_plugin(path, fmt::format("{}", fmt::join(own, "\n")));
  }
  if (registry.size() == before) refuse_plugin(path, "registered no component");
}

}  // namespace

std::filesystem::path library_folder() {
  Dl_info info{};
  if (!dladdr(reinterpret_cast<const void*>(&library_folder), &info) || !info.dli_fname) return ".";
  return std::filesystem::canonical(info.dli_fname).parent_path();
}

void tell_of_loading(LoadingWords words) { loading_words() = std::move(words); }

void warn_of_plugin(const std::string& words) {
  if (loading_words().warning) loading_words().warning(words);
}

void load_plugin(const std::filesystem::path& library) {
  std::error_code error;
  const auto path = std::filesystem::weakly_canonical(std::filesystem::absolute(library), error);
  if (error) refuse_plugin(library, error.message());
  // Constructors run once in a process: a library that was refused after they ran stays refused,
  // for the same reason.
  static std::map<std::filesystem::path, std::string> reasons;
  const auto known = reasons.find(path);
  if (known != reasons.end() && known->second.empty()) return;
  if (known != reasons.end()) throw Error(ExitCode::kPlugin, known->second);
  if (!std::filesystem::exists(path, error) && !error)
    refuse_plugin(path, "no such file" + counted_from_here(library));
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

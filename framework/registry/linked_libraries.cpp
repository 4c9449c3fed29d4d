#include "framework/registry/linked_libraries.h"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <set>
#include <string_view>

#include "framework/registry/plugin.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 6> kSystemFolders = {
    "/lib/", "/lib64/", "/lib32/", "/usr/lib/", "/usr/lib64/", "/usr/lib32/"};

fs::path file_of(const link_map* library) {
  std::error_code error;
  const fs::path out = fs::weakly_canonical(library->l_name, error);
  return error ? fs::path(library->l_name) : out;
}

// What the loader knows of a library; nullptr where it is not loaded.
const link_map* find_loaded(const fs::path& file) {
  void* handle = dlopen(file.c_str(), RTLD_LAZY | RTLD_NOLOAD);
  if (!handle) return nullptr;
  link_map* out = nullptr;
  dlinfo(handle, RTLD_DI_LINKMAP, &out);
  dlclose(handle);  // which was opened once more; it stays
  return out;
}

// The texts that entries of this kind name in a library's dynamic section.
std::vector<std::string> texts_of(const link_map* library, ElfW(Sxword) tag) {
  const char* texts = nullptr;
  std::vector<ElfW(Xword)> offsets;
  for (const ElfW(Dyn)* entry = library->l_ld; entry && entry->d_tag != DT_NULL; ++entry) {
    if (entry->d_tag == tag) offsets.push_back(entry->d_un.d_val);
    if (entry->d_tag != DT_STRTAB) continue;
    // Some loaders leave the address relative to the library's.
    const ElfW(Addr) at = entry->d_un.d_ptr;
    texts = reinterpret_cast<const char*>(at < library->l_addr ? at + library->l_addr : at);
  }
  std::vector<std::string> out;
  for (const auto offset : offsets) out.emplace_back(texts + offset);
  return out;
}

bool calls_itself(const link_map* library, const std::string& name) {
  const auto own = texts_of(library, DT_SONAME);
  return std::find(own.begin(), own.end(), name) != own.end();
}

// The library that was loaded for one that asks for `name`, as the loader goes about it: one has
// the name, or lies in a file that is called so.
const link_map* find_needed(const link_map* asking, const std::string& name) {
  const link_map* first = asking;
  while (first->l_prev) first = first->l_prev;
  for (const link_map* library = first; library; library = library->l_next) {
    if (calls_itself(library, name)) return library;
  }
  for (const link_map* library = first; library; library = library->l_next) {
    if (library->l_name == name || fs::path(library->l_name).filename() == name) return library;
  }
  return nullptr;
}

// Adds a library and all that it links to `seen`, and to `out` in the order in which they can be
// loaded one after the other.
void collect(const link_map* library, const std::string& name, std::set<const link_map*>& seen,
             std::vector<LinkedLibrary>* out) {
  if (!library || !seen.insert(library).second) return;
  for (const std::string& needed : texts_of(library, DT_NEEDED))
    collect(find_needed(library, needed), needed, seen, out);
  if (out) out->push_back({name, file_of(library), calls_itself(library, name)});
}

bool is_of_system(const fs::path& file) {
  const std::string name = file.string();
  return std::any_of(kSystemFolders.begin(), kSystemFolders.end(),
                     [&](std::string_view folder) { return name.starts_with(folder); });
}

}  // namespace

std::vector<LinkedLibrary> linked_libraries(const fs::path& plugin) {
  std::vector<LinkedLibrary> all, out;
  const link_map* own = find_loaded(plugin);
  if (!own) return out;
  std::set<const link_map*> seen;
  for (const char* name : {"libvitrine_core.so", "libvitrine_engine.so"})
    collect(find_loaded(library_folder() / name), name, seen, nullptr);
  std::set<fs::path> folders;  // of libtorch
  for (const link_map* library : seen) folders.insert(file_of(library).parent_path());
  folders.erase(library_folder());
  collect(own, "", seen, &all);
  for (LinkedLibrary& library : all) {
    if (!library.name.empty() && !is_of_system(library.file) &&
        !folders.contains(library.file.parent_path()))
      out.push_back(std::move(library));
  }
  return out;
}

fs::path folder_of_kept_libraries(const fs::path& plugin) { return plugin.string() + ".libraries"; }

std::vector<fs::path> kept_libraries(const fs::path& plugin) {
  std::vector<fs::path> out;
  std::error_code error;
  for (fs::directory_iterator entry(folder_of_kept_libraries(plugin), error), end;
       !error && entry != end; entry.increment(error))
    out.push_back(entry->path());
  std::sort(out.begin(), out.end());  // their names begin with their numbers
  return out;
}

}  // namespace vitrine

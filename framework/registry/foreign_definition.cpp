#include "framework/registry/foreign_definition.h"

#include <cxxabi.h>
#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "framework/registry/plugin.h"

namespace vitrine {
namespace {

// The dynamic symbols of a library that is loaded.
class Symbols {
 public:
  explicit Symbols(const link_map& library) : base_(library.l_addr) {
    for (const ElfW(Dyn)* entry = library.l_ld; entry->d_tag != DT_NULL; ++entry) {
      if (entry->d_tag == DT_SYMTAB) symbols_ = at<ElfW(Sym)>(entry->d_un.d_ptr);
      if (entry->d_tag == DT_STRTAB) names_ = at<char>(entry->d_un.d_ptr);
      if (entry->d_tag == DT_GNU_HASH) hashes_ = at<uint32_t>(entry->d_un.d_ptr);
    }
  }

  // The names of what it defines in Vitrine's namespace, and lets others use. Other libraries may
  // be part of both.
  std::vector<const char*> defined() const {
    std::vector<const char*> out;
    for (uint32_t i = 0; i < count(); ++i) {
      const ElfW(Sym)& symbol = symbols_[i];
      const char* name = names_ + symbol.st_name;
      const bool is_ours = std::strncmp(name, "_Z", 2) == 0 && std::strstr(name, "7vitrine");
      if (symbol.st_shndx != SHN_UNDEF && is_ours) out.push_back(name);
    }
    return out;
  }

 private:
  template <class T>
  const T* at(ElfW(Addr) address) const {
    return reinterpret_cast<const T*>(address < base_ ? address + base_ : address);
  }

  // The table of hashes alone tells how many there are: behind the longest chain of it.
  uint32_t count() const {
    if (!symbols_ || !names_ || !hashes_) return 0;
    const uint32_t buckets = hashes_[0], first = hashes_[1], words = hashes_[2];
    const uint32_t* bucket = hashes_ + 4 + words * (sizeof(ElfW(Addr)) / sizeof(uint32_t));
    const uint32_t* chain = bucket + buckets;
    uint32_t last = 0;
    for (uint32_t i = 0; i < buckets; ++i) last = std::max(last, bucket[i]);
    if (last < first) return first;
    while ((chain[last - first] & 1) == 0) ++last;
    return last + 1;
  }

  ElfW(Addr) base_;
  const ElfW(Sym) * symbols_ = nullptr;
  const char* names_ = nullptr;
  const uint32_t* hashes_ = nullptr;
};

// Whether the library itself defines the name as its own, not as headers do for whoever needs it.
bool defines(void* library, const link_map& own, const char* name) {
  void* const address = dlsym(library, name);
  Dl_info info{};
  ElfW(Sym)* symbol = nullptr;
  if (!address || !dladdr1(address, &info, reinterpret_cast<void**>(&symbol), RTLD_DL_SYMENT))
    return false;
  return symbol && ELF64_ST_BIND(symbol->st_info) == STB_GLOBAL &&
         info.dli_fname == std::string_view(own.l_name);
}

std::string readable(const char* name) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> out(
      abi::__cxa_demangle(name, nullptr, nullptr, &status), &std::free);
  return out ? out.get() : name;
}

// A library that is loaded already, for as long as this lives.
struct Loaded {
  explicit Loaded(const std::filesystem::path& file)
      : handle(dlopen(file.c_str(), RTLD_LAZY | RTLD_NOLOAD)) {
    if (handle) dlinfo(handle, RTLD_DI_LINKMAP, &map);
  }
  Loaded(const Loaded&) = delete;
  Loaded& operator=(const Loaded&) = delete;
  ~Loaded() {
    if (handle) dlclose(handle);
  }
  void* handle;
  link_map* map = nullptr;
};

}  // namespace

std::string definition_of_vitrine(const std::filesystem::path& library) {
  const Loaded plugin(library);
  if (!plugin.map) return "";
  const std::vector<const char*> names = Symbols(*plugin.map).defined();
  for (const char* file : {"libvitrine_core.so", "libvitrine_engine.so"}) {
    const Loaded ours(library_folder() / file);
    if (!ours.map) continue;
    for (const char* name : names) {
      if (defines(ours.handle, *ours.map, name)) return readable(name);
    }
  }
  return "";
}

}  // namespace vitrine

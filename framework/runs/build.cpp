#include "framework/runs/build.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <set>
#include <string_view>
#include <tuple>

#include "framework/error.h"
#include "framework/files/sha256.h"
#include "framework/registry/code_note.h"
#include "framework/registry/linked_libraries.h"

namespace vitrine {

namespace {

using std::literals::operator""sv;

size_t padded(size_t size) { return (size + 3) / 4 * 4; }

struct Identity {
  std::filesystem::path file;  // empty: the program itself
  bool ours = false;           // carries the stamp of registry/abi.h, as plug-ins do
  std::string build_id;        // raw bytes; empty where the linker was told to write none
  unsigned code_kind = 0;
  CodeVersion code;
};

// "name\nsources\ncommit"
CodeVersion read_code(std::string_view text) {
  CodeVersion out;
  text = text.substr(0, text.find('\0'));
  for (std::string* field : {&out.name, &out.sources, &out.commit}) {
    const size_t end = std::min(text.find('\n'), text.size());
    *field = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

void read_notes(std::string_view notes, Identity& identity) {
  while (notes.size() >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) header;
    std::memcpy(&header, notes.data(), sizeof header);
    const size_t text = sizeof header + padded(header.n_namesz);
    const size_t end = text + padded(header.n_descsz);
    if (end > notes.size()) return;
    const std::string_view name = notes.substr(sizeof header, header.n_namesz);
    identity.ours |= name == "vitrine\0"sv;
    if (name == "GNU\0"sv && header.n_type == NT_GNU_BUILD_ID)
      identity.build_id = notes.substr(text, header.n_descsz);
    if (name == "vitcode\0"sv) {
      identity.code_kind = header.n_type;
      identity.code = read_code(notes.substr(text, header.n_descsz));
    }
    notes.remove_prefix(end);
  }
}

// Whether it is the library that this function is part of.
bool is_core(const dl_phdr_info& library) {
  Dl_info own{};
  return dladdr(reinterpret_cast<const void*>(&is_core), &own) != 0 &&
         reinterpret_cast<void*>(library.dlpi_addr) == own.dli_fbase;
}

int collect(dl_phdr_info* library, size_t, void* user) {
  Identity identity;
  for (int i = 0; i < library->dlpi_phnum; ++i) {
    const auto& segment = library->dlpi_phdr[i];
    if (segment.p_type != PT_NOTE) continue;
    const auto* begin = reinterpret_cast<const char*>(library->dlpi_addr + segment.p_vaddr);
    read_notes({begin, segment.p_memsz}, identity);
  }
  identity.file = library->dlpi_name;
  if (identity.ours && identity.code_kind == 0 && !identity.file.empty() && !is_core(*library)) {
    identity.code_kind = kPluginCode;  // built by hand, without the note
    identity.code = {identity.file.stem(), "unknown", ""};
  }
  static_cast<std::vector<Identity>*>(user)->push_back(std::move(identity));
  return 0;
}

// "libgomp.so" of "libgomp.so.1" and of "libgomp-98b21ff3.so.1", as wheels may have it.
std::string plain_name(const std::filesystem::path& file) {
  const std::string name = file.filename().string();
  return name.substr(0, name.find_first_of("-.")) + ".so";
}

bool computes_for_torch(const std::string& name) {
  constexpr std::string_view kBeginnings[] = {"libtorch", "libc10",   "libmkl",      "libdnnl",
                                              "libgomp",  "libiomp",  "libopenblas", "libblis",
                                              "libcudnn", "libcublas"};
  return std::any_of(std::begin(kBeginnings), std::end(kBeginnings),
                     [&](std::string_view beginning) { return name.starts_with(beginning); });
}

std::string hex_digits(std::string_view bytes) {
  std::string out;
  for (const unsigned char byte : bytes) {
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
  return out;
}

std::string id_of(const Identity& library) {
  if (!library.build_id.empty()) return hex_digits(library.build_id);
  std::error_code error;
  const auto size = std::filesystem::file_size(library.file, error);
  return error ? "unknown" : std::to_string(size) + " bytes";
}

// Read once: what is loaded stays what it was, whatever takes the file's place.
std::string digest_of(const std::filesystem::path& file) {
  static std::map<std::filesystem::path, std::string> known;
  std::string& out = known[file];
  try {
    if (out.empty()) out = sha256_of_file(file);
  } catch (const Error&) {
    out = "unknown";
  }
  return out;
}

CodeVersion code_of_plugin(const Identity& library) {
  CodeVersion out = library.code;
  out.file = library.file;
  for (const LinkedLibrary& linked : linked_libraries(library.file))
    out.libraries[linked.name] = digest_of(linked.file);
  return out;
}

}  // namespace

LoadedCode loaded_code() {
  std::vector<Identity> libraries;
  dl_iterate_phdr(collect, &libraries);
  LoadedCode out;
  out.program = {"", "unknown", "unknown"};
  std::set<std::string> ids;  // sorted: the order of loading does not matter
  for (const Identity& library : libraries) {
    const std::string name = plain_name(library.file);
    if (!library.ours && computes_for_torch(name)) out.torch[name] = id_of(library);
    if (!library.ours) continue;
    ids.insert(library.build_id);
    if (library.code_kind == kProgramCode) out.program = library.code;
    if (library.code_kind != kPluginCode) continue;
    out.plugins.push_back(code_of_plugin(library));
    for (const auto& [name, digest] : out.plugins.back().libraries) ids.insert(digest);
  }
  std::sort(out.plugins.begin(), out.plugins.end(), [](const auto& a, const auto& b) {
    return std::tie(a.name, a.sources) < std::tie(b.name, b.sources);
  });
  Sha256 hash;
  for (const std::string& id : ids) hash.update(id);
  out.build = hash.hex().substr(0, 16);
  return out;
}

}  // namespace vitrine

#include "framework/registry/library_notes.h"

#include <elf.h>
#include <fmt/format.h>

#include <cstring>
#include <fstream>

#include "framework/error.h"

namespace vitrine {
namespace {

using std::literals::operator""sv;

constexpr uint64_t kMaxNotes = 1 << 20;

template <class T>
T read_at(std::ifstream& in, uint64_t offset) {
  T value{};
  in.seekg(static_cast<std::streamoff>(offset));
  in.read(reinterpret_cast<char*>(&value), sizeof value);
  return value;
}

void take_note(std::string_view name, const std::string& padded, LibraryNotes& out) {
  const std::string text = padded.substr(0, padded.find('\0'));
  if (name == "vitrine\0"sv && out.stamp.empty()) out.stamp = text;
  if (name == "vithead\0"sv) out.headers = text;
  if (name == "vitcode\0"sv) out.name = text.substr(0, text.find('\n'));
}

void take_notes(const std::string& notes, LibraryNotes& out) {
  size_t at = 0;
  while (at + sizeof(Elf64_Nhdr) <= notes.size()) {
    Elf64_Nhdr header;
    std::memcpy(&header, notes.data() + at, sizeof header);
    const size_t name = at + sizeof header;
    const size_t text = name + (size_t{header.n_namesz} + 3) / 4 * 4;
    const size_t end = text + (size_t{header.n_descsz} + 3) / 4 * 4;
    if (end > notes.size()) return;
    take_note(std::string_view(notes).substr(name, header.n_namesz),
              notes.substr(text, header.n_descsz), out);
    at = end;
  }
}

void require_file(const std::filesystem::path& library) {
  std::error_code error;
  if (!std::filesystem::exists(library, error)) refuse_plugin(library, "no such file");
  if (std::filesystem::is_directory(library, error))
    refuse_plugin(library, "a folder, not a shared library");
  if (!std::filesystem::is_regular_file(library, error))
    refuse_plugin(library, "not a regular file");  // reading a pipe would wait for its writer
}

}  // namespace

void refuse_plugin(const std::filesystem::path& library, const std::string& reason) {
  throw Error(ExitCode::kPlugin, fmt::format("plug-in {}: {}", escape(library.string()), reason));
}

LibraryNotes read_library_notes(const std::filesystem::path& library) {
  require_file(library);
  std::error_code error;
  const uint64_t size = std::filesystem::file_size(library, error);
  std::ifstream in(library, std::ios::binary);
  if (!in) refuse_plugin(library, "cannot be read");
  const auto header = read_at<Elf64_Ehdr>(in, 0);
  if (!in || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_type != ET_DYN)
    refuse_plugin(library, "not a shared library");
  LibraryNotes out;
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    const auto segment = read_at<Elf64_Phdr>(in, header.e_phoff + uint64_t{i} * header.e_phentsize);
    // The loader maps what a file has no bytes for, and ends the process when they are touched.
    if (!in || segment.p_offset > size || segment.p_filesz > size - segment.p_offset)
      refuse_plugin(library, "cut off: it is shorter than its header says");
    if (segment.p_type != PT_NOTE || segment.p_filesz > kMaxNotes) continue;
    std::string notes(segment.p_filesz, '\0');
    in.seekg(static_cast<std::streamoff>(segment.p_offset));
    in.read(notes.data(), static_cast<std::streamsize>(notes.size()));
    take_notes(notes, out);
  }
  return out;
}

}  // namespace vitrine

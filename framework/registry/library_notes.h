#pragma once

#include <filesystem>
#include <string>

namespace vitrine {

// What a library with components tells of itself before any of its code runs: the ELF notes of
// abi.h and code_note.h, each empty where it is not there.
struct LibraryNotes {
  std::string stamp;    // of abi.h
  std::string headers;  // SHA-256 of those that it was compiled with
  std::string name;     // as it was built, whatever its file is called by now
};

// Throws Error(kPlugin) for what is no ELF library, or cannot be read.
LibraryNotes read_library_notes(const std::filesystem::path& library);

// Throws Error(kPlugin).
[[noreturn]] void refuse_plugin(const std::filesystem::path& library, const std::string& reason);

}  // namespace vitrine

#pragma once

// What a library with components was compiled from: an ELF note beside that of abi.h, in a source
// that cmake/code_version.cmake writes. The text has three lines: the library's name, the SHA-256
// of its sources, and the commit (empty for plug-ins).

namespace vitrine {

inline constexpr unsigned kProgramCode = 1, kPluginCode = 2;  // the note's type

#ifdef VITRINE_CODE_TEXT
struct CodeNote {
  unsigned name_size, text_size, type;
  char name[8];
  char text[(sizeof(VITRINE_CODE_TEXT) + 3) / 4 * 4];
};

#ifdef __clang__
__attribute__((no_sanitize("address")))  // which would put gaps between the notes
#endif
__attribute__((section(".note.vitrine.code"), used, aligned(4))) static const CodeNote code_note = {
    sizeof("vitcode"), sizeof(CodeNote::text), VITRINE_CODE_KIND, "vitcode", VITRINE_CODE_TEXT};
#endif

}  // namespace vitrine

#pragma once

// What a library with components was compiled from: ELF notes beside that of abi.h, in a source
// that cmake/code_version.cmake writes. The text of one has three lines: the library's name, the
// SHA-256 of its sources, and the commit (empty for plug-ins). The other has the SHA-256 of the
// headers that components may include (cmake/public_headers.cmake): the interface between the two.

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

struct HeadersNote {
  unsigned name_size, text_size, type;
  char name[8];
  char text[(sizeof(VITRINE_HEADERS) + 3) / 4 * 4];
};

#ifdef __clang__
__attribute__((no_sanitize("address")))
#endif
__attribute__((section(".note.vitrine.headers"), used,
               aligned(4))) static const HeadersNote headers_note = {
    sizeof("vithead"), sizeof(HeadersNote::text), 1, "vithead", VITRINE_HEADERS};
#endif

}  // namespace vitrine

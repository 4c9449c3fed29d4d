#pragma once

// What a plug-in must share with the framework to be loaded: it stands in an ELF note of every
// library with components, so that it can be read before any of the library's code runs.
#ifndef VITRINE_TORCH_VERSION
#define VITRINE_TORCH_VERSION "none"
#endif
#define VITRINE_ABI_STAMP "vitrine 3; torch " VITRINE_TORCH_VERSION "; compiler " __VERSION__

namespace vitrine {

struct AbiNote {
  unsigned name_size, stamp_size, type;
  char name[8];
  char stamp[(sizeof(VITRINE_ABI_STAMP) + 3) / 4 * 4];
};

#ifdef __clang__
__attribute__((no_sanitize("address")))  // which would put gaps between the notes
#endif
__attribute__((section(".note.vitrine"), used, aligned(4))) static const AbiNote abi_note = {
    sizeof("vitrine"), sizeof(AbiNote::stamp), 1, "vitrine", VITRINE_ABI_STAMP};

}  // namespace vitrine

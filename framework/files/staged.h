#pragma once

#include <string>

#include "framework/files/place.h"

// A file that changes together with another one: its new text lies beside it from before on, and
// counts as soon as the other file tells its SHA-256. So the rename of that file commits both.
namespace vitrine {

// Writes what is to become of `file`. Throws Error(kFailed).
void stage(const Place& file, const std::string& text);

// Where the text that counts lies, given the SHA-256 that the other file tells (empty: it tells
// none): `file`, or what was staged. Throws Error(kData) where that cannot be told.
Place current_place(const Place& file, const std::string& sha256);

// Puts that text in its place, for good, and removes what was staged and never counted. Throws
// Error.
void settle(const Place& file, const std::string& sha256);

}  // namespace vitrine

#pragma once

#include "framework/drawing/picture.h"

namespace vitrine {

// The whole page: title and subject above what is drawn, the notes below it.
Picture with_words(const Picture& picture);

}  // namespace vitrine

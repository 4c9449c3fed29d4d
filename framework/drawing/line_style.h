#pragma once

#include "framework/drawing/canvas.h"

namespace vitrine {

// Styles of lines: each has a pair of dashes and marker of its own, so that they can be told apart
// without colour, and neighbours differ in all three. Colours are for colour-blind eyes (Okabe and
// Ito 2008).
inline constexpr size_t kLineStyles = 28;

Stroke line_stroke(size_t style);
void draw_marker(Canvas& canvas, const Point& at, size_t style);

}  // namespace vitrine

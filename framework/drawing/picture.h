#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "framework/drawing/canvas.h"

namespace vitrine {

// A drawing with the words that make it understood without the program that made it.
struct Picture {
  double width = 0, height = 0;  // of what `draw` draws
  double resolution = 0;         // pixels of a PNG a unit; 0: 2, or 1 where that is too many
  std::function<void(Canvas&)> draw;
  std::string title, subject;      // above it: what it shows, and of what; may be empty
  std::vector<std::string> notes;  // below it: what its parts and colours mean
  // What is drawn, as numbers: "axes", "value" and "values" or "lines" (docs/plots.md).
  std::function<nlohmann::ordered_json()> numbers;
};

// All on white, words included. The same picture gives the same bytes, whatever the time and the
// locale; fonts of a PNG are those of the machine, and those of an SVG, whose text is text, of the
// viewer's. Throws Error(kUsage) for an image of more than kMaxPixels.
Image to_image(const Picture& picture);
std::string to_svg(const Picture& picture);
// Throws Error(kUsage) where the picture has no numbers.
std::string to_json(const Picture& picture);

}  // namespace vitrine

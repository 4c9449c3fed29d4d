#pragma once

#include <string>
#include <vector>

#include "framework/drawing/canvas.h"

namespace vitrine {

// Colours for rising values, for colour-blind eyes too. kViridis (van der Walt and Smith) rises
// evenly in lightness. kDiverging goes from blue over white to red, for values on both sides of
// zero. kGrey goes from black to white.
enum class Palette { kViridis, kDiverging, kGrey };

struct Scale {
  Palette palette = Palette::kViridis;
  double low = 0, high = 1;  // what the first and the last colour stand for

  Colour operator()(double value) const;  // grey for what is no number
};

using Values = std::vector<std::vector<float>>;  // rows of equal length

// The scale from the smallest of the finite values to the largest; as far on both sides of 0 where
// the palette is kDiverging or kGrey.
Scale scale_of(const Values& values, Palette palette);

// "Grey: 3 values that are no finite numbers."; empty where there are none.
std::string note_on_gaps(const Values& values);

// One pixel a value.
Image heat_map(const Values& values, const Scale& scale);

// The colours of `values` laid over an image, grey or in colour, which shines through in grey; each
// value covers its share of it.
Image overlay(const Image& image, const Values& values, const Scale& scale);

}  // namespace vitrine

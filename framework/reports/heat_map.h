#pragma once

#include <vector>

#include "framework/reports/picture.h"

namespace vitrine {

// Colours for rising values. kHot is matplotlib's "hot": black over red and yellow to white.
// kViridis (van der Walt and Smith) rises evenly in lightness, for colour-blind eyes too.
// kDiverging goes from blue over white to red, for values on both sides of zero.
enum class Palette { kHot, kViridis, kDiverging };

struct Scale {
  Palette palette = Palette::kViridis;
  double low = 0, high = 1;  // what the first and the last colour stand for

  Colour operator()(double value) const;  // grey for what is no number
};

using Values = std::vector<std::vector<float>>;  // rows of equal length

// From the smallest of the values to the largest.
Scale scale_of(const Values& values, Palette palette);

// One pixel a value.
Image heat_map(const Values& values, const Scale& scale);

// The colours of `values` laid over an image, grey or in colour, which shines through in grey; each
// value covers its share of it.
Image overlay(const Image& image, const Values& values, const Scale& scale);

}  // namespace vitrine

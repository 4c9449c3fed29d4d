#pragma once

#include "framework/images/image.h"
#include "framework/images/resize_mode.h"

// Images in other sizes: antialiased, bilinear, in fixed point; rows first, then columns. The bits
// are those of Image.resize(size, BILINEAR) of Pillow up to 12, on every processor.
namespace vitrine {

struct PixelBox {
  int64_t x = 0, y = 0, width = 0, height = 0;
};

// All of these throw Error(kFailed) for sizes below 1, more than kMaxPixels and boxes that are not
// within the image.
Image resize(const Image& image, int64_t width, int64_t height);
// The box alone: Pillow's crop(box).resize(size, BILINEAR).
Image resize_box(const Image& image, const PixelBox& box, int64_t width, int64_t height);
// `crop` rounds as torchvision's Resize and CenterCrop, `pad` as Pillow's ImageOps.pad. Of a crop
// `crop_ratio` is the share of each side that is kept: 224 and 0.875 are Resize(256),
// CenterCrop(224); sides are rounded down, as timm does by its crop_pct.
Image resize(const Image& image, int64_t width, int64_t height, ResizeMode mode,
             Colour background = kWhite, double crop_ratio = 1);

}  // namespace vitrine

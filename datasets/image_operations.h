#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "framework/images/image.h"

// What transforms do to an image: the bytes are those that torchvision 0.28 makes of Pillow's
// images. An image may have any number of channels unless told otherwise.
namespace vitrine {

using Fill = std::vector<uint8_t>;  // of what is uncovered: a value each channel

// --- Each pixel by itself.

// Luma (ITU-R BT.601) in all channels. Grey stays; of others only RGB.
Image to_grey(Image image);
// The share `factor` of the image over black; over its mean luma (grey or RGB); over its luma (grey
// or RGB). 1 is the image, more goes beyond it, at least 0.
Image adjust_brightness(Image image, double factor);
Image adjust_contrast(Image image, double factor);
Image adjust_saturation(Image image, double factor);
// Turns hues by a share of the circle, -0.5 to 0.5, by way of HSV in bytes. Grey stays; of others
// only RGB.
Image adjust_hue(Image image, double share);
Image posterize(Image image, int bits);         // that are kept, 1 to 8
Image solarize(Image image, double threshold);  // inverts from there on
Image autocontrast(Image image);                // each channel from 0 to 255
Image equalize(Image image);                    // each channel's histogram

// --- Pixels with their neighbours.

// The share `factor` of the image over a smoothed one (3 x 3), as of adjust_brightness.
Image adjust_sharpness(const Image& image, double factor);
// By three box blurs each way, whose deviation is `radius` pixels.
Image gaussian_blur(Image image, double radius);

// --- Places, each pixel the nearest one of the image; what is outside is `fill`.

Image flip_horizontally(Image image);
Image flip_vertically(Image image);
Image translate(const Image& image, int64_t right, int64_t down, const Fill& fill);
Image shear_x(const Image& image, double slope,
              const Fill& fill);  // rows to the left, from the top
Image shear_y(const Image& image, double slope, const Fill& fill);  // columns, from the left
Image rotate(const Image& image, double degrees,
             const Fill& fill);  // about the middle, to the left

enum class PadMode { kConstant, kEdge, kReflect, kSymmetric };
// The part of `width` x `height` pixels whose corner is (x, y), which may begin and end outside:
// there is the fill, the pixel at the edge, or the image mirrored at that pixel or behind it.
Image crop(const Image& image, int64_t x, int64_t y, int64_t width, int64_t height, PadMode mode,
           const Fill& fill);

}  // namespace vitrine

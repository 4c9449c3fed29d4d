#pragma once

#include <ATen/ops/from_blob.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <optional>

#include "framework/data/dataset.h"
#include "framework/error.h"

// Images and labels as arrays of other programs hold them, made into those of a data set.
namespace vitrine {

// How images lie in an array.
struct ImageLayout {
  int64_t count = 0, channels = 0, height = 0, width = 0;
  bool channels_last = false;
  std::string said;  // what was assumed, for the user; empty where nothing was

  bool has_shape_of(const ImageLayout& other) const {
    return channels == other.channels && height == other.height && width == other.width;
  }
};

// What a config says of it.
struct LayoutOptions {
  std::optional<int64_t> height, width;
  std::string layout = "auto";

  void visit(Fields& field) {
    field("layout", layout,
          "how images with channels lie there: nchw: channel by channel; nhwc: channels last; "
          "auto: by their shape",
          one_of({"auto", "nchw", "nhwc"}))
        .words({"data_format", "channels_last", "channel_order"});
    field("height", height,
          "of images that are rows of pixels; where it is not given, they are "
          "square",
          between(1, 65'536))
        .words({"rows"});
    field("width", width, "of images that are rows of pixels", between(1, 65'536))
        .words({"columns", "cols"});
  }
  void check(Check& check) const {
    if (height.has_value() != width.has_value())
      check.error({height ? "height" : "width"}, "height and width are given together");
  }
};

// Of rows of pixels.
inline ImageLayout flat_layout(int64_t count, int64_t pixels, const LayoutOptions& options,
                               const std::string& name) {
  ImageLayout out{count, 1, 0, 0, options.layout == "nhwc", ""};
  if (options.height) {
    out.height = *options.height;
    out.width = *options.width;
    out.channels = pixels / (out.height * out.width);
    if (out.channels * out.height * out.width != pixels || out.channels == 0) {
      refuse_data(name,
                  fmt::format("{} pixels are no image of {} x {}", pixels, out.height, out.width));
    }
    return out;
  }
  const auto side = static_cast<int64_t>(std::llround(std::sqrt(static_cast<double>(pixels))));
  if (side * side != pixels) {
    refuse_data(name,
                fmt::format("{} pixels are no square: say height and width of an image", pixels));
  }
  out.height = out.width = side;
  out.said = fmt::format("rows of {} pixels, taken for images of {} x {}", pixels, side, side);
  return out;
}

// `name` is what messages begin with. Throws Error(kData) for a shape that is none of images.
inline ImageLayout layout_of(const std::vector<int64_t>& shape, const LayoutOptions& options,
                             const std::string& name) {
  const std::string words = fmt::format("[{}]", fmt::join(shape, ", "));
  if (shape.size() < 2 || shape.size() > 4) {
    refuse_data(name, words +
                          " are no images: they must be [N, C, H, W], [N, H, W, C], [N, H, W] "
                          "or [N, pixels]");
  }
  if (c10::multiply_integers(shape) == 0) refuse_data(name, words + ": it is empty");
  if (shape.size() == 2) return flat_layout(shape[0], shape[1], options, name);
  if (shape.size() == 3) return {shape[0], 1, shape[1], shape[2], false, ""};
  const auto is_usual = [](int64_t channels) { return channels <= 4; };
  const bool looks_last = !is_usual(shape[1]) && is_usual(shape[3]);
  if (options.layout == "nhwc" || (options.layout == "auto" && looks_last)) {
    return {
        shape[0], shape[3],
        shape[1], shape[2],
        true,     options.layout == "auto" ? words + " taken for [N, H, W, C], channels last" : ""};
  }
  return {shape[0], shape[1], shape[2], shape[3], false, ""};
}

// What the pixels of all sets of a file have to say of their scale.
struct PixelRange {
  double low = 0, high = 0;
  bool is_finite = true;

  void add(const Tensor& pixels) {
    if (pixels.is_floating_point() && !pixels.isfinite().all().item<bool>()) is_finite = false;
    low = std::min(low, pixels.min().to(at::kDouble).item<double>());
    high = std::max(high, pixels.max().to(at::kDouble).item<double>());
  }
};

// Of type and range: what a pixel is multiplied by to be one of 0..255. Sets what is to be said.
inline double pixel_scale(const std::string& type, bool is_real, const PixelRange& range,
                          const std::string& name, std::string& said) {
  if (type == "bool") {
    said = "bool, taken for 0 and 255";
    return 255;
  }
  if (!range.is_finite) refuse_data(name, type + " with values that are no finite numbers");
  if (range.low < 0 || range.high > 255) {
    refuse_data(name, fmt::format("{} from {:.6g} to {:.6g}: pixels must be in 0..255{}", type,
                                  range.low, range.high, is_real ? " or 0..1" : ""));
  }
  if (is_real && range.high <= 1) {
    said = type + " in 0..1, taken for 0..255";
    return 255;
  }
  if (is_real) said = type + " in 0..255, rounded";
  if (!is_real && type != "uint8") said = type + " in 0..255";
  if (!is_real && range.high <= 1)
    said = type + " of 0 and 1 alone, taken as they are: nearly black, of 255";
  return 1;
}

// uint8 [N, C, H, W], contiguous.
inline Tensor to_pixels(const Tensor& values, const ImageLayout& layout, double scale) {
  Tensor out = values;
  if (scale != 1) out = out.to(at::kFloat).mul(scale);
  if (out.is_floating_point()) out = out.round();
  out = out.to(at::kByte);
  if (!layout.channels_last)
    return out.reshape({layout.count, layout.channels, layout.height, layout.width}).contiguous();
  return out.reshape({layout.count, layout.height, layout.width, layout.channels})
      .permute({0, 3, 1, 2})
      .contiguous();
}

// The class of each image, int64 [N], of whole numbers [N] or [N, 1] or of rows with a single one.
// Throws Error(kData), which begins with `name`.
inline Tensor to_classes(const Tensor& values, const std::string& name, std::string& said) {
  const std::string shape = fmt::format("[{}]", fmt::join(values.sizes(), ", "));
  Tensor out = values.dim() == 2 && values.size(1) == 1 ? values.select(1, 0) : values;
  if (out.dim() == 2) {
    const Tensor numbers = out.to(at::kDouble);
    const bool is_one_hot = numbers.eq(0).logical_or(numbers.eq(1)).all().item<bool>() &&
                            numbers.sum(1).eq(1).all().item<bool>();
    if (!is_one_hot) {
      refuse_data(name, shape +
                            " are not the classes of images: a row must have a single 1; "
                            "arrays reads several labels an image");
    }
    said = shape + " with a single 1 a row, taken for its place";
    return numbers.argmax(1);
  }
  if (out.dim() != 1) refuse_data(name, shape + " are no labels: they must be [N] or one-hot");
  if (out.is_floating_point()) {
    const Tensor numbers = out.to(at::kDouble);
    if (!numbers.eq(numbers.round()).all().item<bool>())
      refuse_data(name, "labels must be whole numbers; arrays reads values");
    said = "whole numbers of a real type, taken for classes";
  }
  return out.to(at::kLong).contiguous();
}

}  // namespace vitrine

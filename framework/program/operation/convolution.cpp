// Of a map of features [height * width, channels] with a weight [out, channels, kernel height,
// kernel width] and a bias [out] or none.
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/convolution.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include <fmt/format.h>

#include <cstring>

#include "framework/program/call-inl.h"
#include "framework/program/operation/window.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::convolution_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

Window window_of(const Call& call) {
  const auto n = [&](size_t i) { return call.count(i); };
  return {n(0), n(1), n(2), n(3), n(4), n(5), n(6), n(7)};
}

// A kernel's terms are ordered by their place, then by channel, as the map has them side by side;
// libtorch's weights by channel, then place.
struct Kernel {
  size_t channels, area, count;

  Kernel(const Call& call, const Window& window)
      : channels(call.inputs[0].shape.columns),
        area(window.kernel_height * window.kernel_width),
        count(channels * area) {}

  // Calls `work` with the number of each weight there and here.
  template <class Work>
  void for_weights(size_t outputs, const Work& work) const {
    for (size_t o = 0; o < outputs; ++o) {
      for (size_t c = 0; c < channels; ++c) {
        for (size_t place = 0; place < area; ++place)
          work(o * count + c * area + place, o * count + place * channels + c);
      }
    }
  }
};

// What a call has in its scratch: rows, then the weights in the order of the terms, then as many
// sums.
struct Places {
  float *rows, *weights, *sums;

  Places(const Call& call, const Window& window, const Kernel& kernel)
      : rows(call.scratch),
        weights(rows + window.scratch(kernel.channels) * N),
        sums(weights + call.output.shape.columns * kernel.count) {
    kernel.for_weights(call.output.shape.columns, [&](size_t there, size_t here) {
      weights[here] = call.parameters[0].values[there];
    });
  }
};

// The map with its padding, its pixels side by side. Copied only where it does not lie so.
const float* padded_map(const Call& call, const Window& window, size_t channels, float* to) {
  const Matrix& map = call.inputs[0].value;
  const size_t n = channels * N, row = window.padded_width() * n;
  if (!window.has_padding() && map.row == n) return map.at;
  if (window.has_padding()) std::memset(to, 0, window.padded_height() * row * sizeof(float));
  for (size_t y = 0; y < window.height; ++y) {
    float* at = to + (y + window.padding_y) * row + window.padding_x * n;
    for (size_t x = 0; x < window.width; ++x, at += n)
      std::memcpy(at, row_of(map, y * window.width + x), n * sizeof(float));
  }
  return to;
}

void Forward(const Call& call) {
  const Window window = window_of(call);
  const Kernel kernel(call, window);
  const Places places(call, window, kernel);
  const float* map = padded_map(call, window, kernel.channels, places.rows);
  const size_t pixel = kernel.channels * N, row = window.padded_width() * pixel;
  const size_t along = window.kernel_width * kernel.channels, width = window.out_width();
  for (size_t y = 0; y < window.out_height(); ++y) {
    product<true, false>(Target{row_of(call.output.value, y * width), call.output.value.row, N},
                         Factor{map + y * window.stride_y * row, window.stride_x * pixel, N},
                         {places.weights, kernel.count, 1}, width, call.output.shape.columns,
                         {along, window.kernel_height, row, along}, call.parameters[1].values);
  }
}

void add_weight_gradient(const Call& call, const Window& window, const Kernel& kernel,
                         const Places& places, float* gradient) {
  const float* map = padded_map(call, window, kernel.channels, places.rows);
  const Matrix& dout = call.output.gradient;
  const size_t columns = call.output.shape.columns, width = window.out_width();
  const size_t pixel = kernel.channels * N, row = window.padded_width() * pixel;
  const size_t along = window.kernel_width * kernel.channels;
  std::memset(places.sums, 0, columns * kernel.count * sizeof(float));
  for (size_t y = 0; y < window.kernel_height; ++y) {
    summed_product({places.sums + y * along, kernel.count}, by_columns(dout),
                   Factor{map + y * row, N, window.stride_x * pixel}, columns, along,
                   {width, window.out_height(), width * dout.row, window.stride_y * row});
  }
  kernel.for_weights(columns,
                     [&](size_t there, size_t here) { gradient[there] += places.sums[here]; });
}

// Adds what the terms of a row of outputs got to the gradient of the map.
void fold(const Call& call, const Window& window, const Kernel& kernel, size_t y,
          const float* from) {
  const auto& x = call.inputs[0];
  const size_t n = kernel.channels * N;
  for (size_t i = 0; i < window.out_width(); ++i, from += kernel.count * N) {
    window.for_each(y * window.out_width() + i, [&](size_t token, size_t place) HWY_ATTR {
      float* to = row_of(x.gradient, token);
      for (size_t k = 0; k < n; k += N)
        store(hn::Add(load(to + k), load(from + place * n + k)), to + k);
    });
  }
}

void Backward(const Call& call) {
  const Window window = window_of(call);
  const Kernel kernel(call, window);
  const Places places(call, window, kernel);
  const auto& x = call.inputs[0];
  const Matrix& dout = call.output.gradient;
  const size_t columns = call.output.shape.columns, width = window.out_width();
  if (float* gradient = call.parameters[1].gradient)
    summed_columns(gradient, dout.at, dout.row / N, columns, call.output.shape.tokens);
  if (float* gradient = call.parameters[0].gradient)
    add_weight_gradient(call, window, kernel, places, gradient);
  if (!x.gradient.at) return;
  for (size_t t = 0; !x.adds && t < x.shape.tokens; ++t)
    std::memset(row_of(x.gradient, t), 0, x.shape.columns * N * sizeof(float));
  for (size_t y = 0; y < window.out_height(); ++y) {
    product<true, false>(target(places.rows, kernel.count),
                         Factor{row_of(dout, y * width), dout.row, N},
                         {places.weights, 1, kernel.count}, width, kernel.count, columns);
    fold(call, window, kernel, y, places.rows);
  }
}

}  // namespace
}  // namespace vitrine::convolution_operation::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::convolution_operation {
namespace {

HWY_EXPORT(Forward);
HWY_EXPORT(Backward);

Window window_of(const Applied& a) {
  const auto n = [&](size_t i) { return a.count(i); };
  return {n(0), n(1), n(2), n(3), n(4), n(5), n(6), n(7)};
}

class Convolution : public Operation {
 public:
  Operands operands() const override { return {1, 2, 1}; }
  std::vector<const char*> numbers() const override {
    return {"height",   "width",    "kernel_height", "kernel_width",
            "stride_y", "stride_x", "padding_y",     "padding_x"};
  }
  Shape shape(const Applied& a) const override {
    const Window window = window_of(a);
    const std::string misfit = window.misfit(a.inputs[0].tokens);
    if (!misfit.empty()) refuse_operands("convolution", misfit);
    const size_t out = a.parameters[0][0], taps = window.kernel_height * window.kernel_width;
    if (taps > a.parameter_size(0) || a.parameter_size(0) != out * a.inputs[0].columns * taps) {
      refuse_operands("convolution", fmt::format("a weight of {} for {} channels",
                                                 a.parameter_size(0) / out, a.inputs[0].columns));
    }
    refuse_bias("convolution", a, 1, out);
    return {window.out_size(), out};
  }
  double flops(const Applied& a) const override {
    return 2.0 * static_cast<double>(a.output.tokens) * static_cast<double>(a.parameter_size(0));
  }
  std::vector<TokenRange> reads(const Applied& a, TokenRange) const override {
    return {{0, a.inputs[0].tokens}};
  }
  bool narrows() const override { return false; }
  Needs needs(const Applied&) const override { return {1, false}; }
  size_t scratch(const Applied& a) const override {
    // Numbers of weights fill less than elements.
    return window_of(a).scratch(a.inputs[0].columns) + 2 * a.parameter_size(0);
  }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
  void backward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Backward)(call); }
};

VITRINE_OPERATION(convolution, Convolution)

}  // namespace
}  // namespace vitrine::convolution_operation
#endif

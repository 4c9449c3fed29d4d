// Of a map of features [height * width, channels] with a weight [out, channels, kernel height,
// kernel width] and a bias [out] or none.
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/convolution.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "framework/program/operation/window.h"
#include "framework/simd/matrix-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::convolution_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

Window window_of(const Call& call) {
  const auto n = [&](size_t i) { return call.count(i); };
  return {n(0), n(1), n(2), n(3), n(4), n(5), n(6), n(7)};
}

// Terms are ordered by their place in the kernel, then by channel, as the map has them side by
// side; libtorch's weights by channel, then place.
struct Terms {
  size_t channels, area, count;

  Terms(const Call& call, const Window& window)
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

// The terms of `count` outputs from `first` on as rows; zeros in the padding.
void unfold(const Call& call, const Window& window, const Terms& terms, size_t first, size_t count,
            float* to) {
  const auto& x = call.inputs[0];
  const size_t n = terms.channels * N;
  const bool is_dense = x.value.row == n;
  for (size_t i = 0; i < count; ++i, to += terms.count * N) {
    if (window.is_cut(first + i)) std::memset(to, 0, terms.count * N * sizeof(float));
    window.for_each_row(first + i, [&](size_t token, size_t place, size_t tokens) HWY_ATTR {
      float* at = to + place * n;
      const float* from = row_of(x.value, token);
      const size_t length = is_dense ? tokens * n : n;
      for (size_t t = 0; t < (is_dense ? 1 : tokens); ++t, at += n, from += x.value.row) {
        for (size_t k = 0; k < length; k += N) store(load(from + k), at + k);
      }
    });
  }
}

// The other way round: adds rows to the gradient of the input.
void fold(const Call& call, const Window& window, const Terms& terms, size_t first, size_t count,
          const float* from) {
  const auto& x = call.inputs[0];
  const size_t n = terms.channels * N;
  for (size_t i = 0; i < count; ++i, from += terms.count * N) {
    window.for_each(first + i, [&](size_t token, size_t place) HWY_ATTR {
      float* to = row_of(x.gradient, token);
      for (size_t k = 0; k < n; k += N)
        store(hn::Add(load(to + k), load(from + place * n + k)), to + k);
    });
  }
}

// The weights in the order of the terms, behind the rows.
float* ordered_weights(const Call& call, const Terms& terms) {
  float* weights = call.scratch + kConvolvedAtOnce * terms.count * N;
  terms.for_weights(call.output.shape.columns, [&](size_t there, size_t here) {
    weights[here] = call.parameters[0].values[there];
  });
  return weights;
}

void Forward(const Call& call) {
  const Window window = window_of(call);
  const Terms terms(call, window);
  const float* weights = ordered_weights(call, terms);
  const size_t outputs = call.output.shape.tokens;
  for (size_t first = 0; first < outputs; first += kConvolvedAtOnce) {
    const size_t count = std::min(kConvolvedAtOnce, outputs - first);
    unfold(call, window, terms, first, count, call.scratch);
    product<true, false>(Target{row_of(call.output.value, first), call.output.value.row, N},
                         vectors(call.scratch, terms.count, 1), {weights, terms.count, 1}, count,
                         call.output.shape.columns, terms.count, call.parameters[1].values);
  }
}

void Backward(const Call& call) {
  const Window window = window_of(call);
  const Terms terms(call, window);
  const float* weights = ordered_weights(call, terms);
  const auto& x = call.inputs[0];
  const size_t outputs = call.output.shape.tokens, columns = call.output.shape.columns;
  float* sums = call.scratch + kConvolvedAtOnce * terms.count * N + columns * terms.count;
  std::memset(sums, 0, columns * terms.count * sizeof(float));
  const Matrix& dout = call.output.gradient;
  if (float* gradient = call.parameters[1].gradient)
    summed_columns(gradient, dout.at, dout.row / N, columns, outputs);
  for (size_t t = 0; x.gradient.at && !x.adds && t < x.shape.tokens; ++t)
    std::memset(row_of(x.gradient, t), 0, x.shape.columns * N * sizeof(float));
  float* gradient = call.parameters[0].gradient;
  for (size_t first = 0; first < outputs; first += kConvolvedAtOnce) {
    const size_t count = std::min(kConvolvedAtOnce, outputs - first);
    const float* rows = row_of(dout, first);
    if (gradient) {
      unfold(call, window, terms, first, count, call.scratch);
      summed_product(sums, Factor{rows, N, dout.row}, vectors(call.scratch, 1, terms.count),
                     columns, terms.count, count);
    }
    if (!x.gradient.at) continue;
    product<true, false>(target(call.scratch, terms.count), Factor{rows, dout.row, N},
                         {weights, 1, terms.count}, count, terms.count, columns);
    fold(call, window, terms, first, count, call.scratch);
  }
  if (!gradient) return;
  terms.for_weights(columns, [&](size_t there, size_t here) { gradient[there] += sums[here]; });
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
  std::vector<const char*> numbers() const override {
    return {"height",   "width",    "kernel_height", "kernel_width",
            "stride_y", "stride_x", "padding_y",     "padding_x"};
  }
  Shape shape(const Applied& a) const override {
    const Window window = window_of(a);
    const std::string misfit = window.misfit(a.inputs[0].tokens);
    if (!misfit.empty()) refuse_operands("convolution", misfit);
    const size_t terms = a.inputs[0].columns * window.kernel_height * window.kernel_width;
    const size_t out = a.parameters[0].at(0);
    if (a.parameter_size(0) != out * terms) {
      refuse_operands("convolution", fmt::format("a weight of {} for {} channels",
                                                 a.parameter_size(0) / out, a.inputs[0].columns));
    }
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
    // Rows of terms, then two copies of the weights, whose numbers fill less than elements.
    return kConvolvedAtOnce * (a.parameter_size(0) / a.parameters[0].at(0)) +
           2 * a.parameter_size(0);
  }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
  void backward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Backward)(call); }
};

VITRINE_OPERATION(convolution, Convolution)

}  // namespace
}  // namespace vitrine::convolution_operation
#endif

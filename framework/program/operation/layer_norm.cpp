// Mean 0 and variance 1 of the columns of each token, then scale and shift; with several parts of
// the columns each part for itself, all with the same weight and bias [columns / parts].
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/layer_norm.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include <fmt/format.h>

#include <cmath>

#include "framework/program/call-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::layer_norm_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

// The statistics of a row: two vectors for each of its parts.
struct Row {
  size_t parts, width;
  V share;

  explicit Row(const Call& call)
      : parts(call.count(1)),
        width(call.output.shape.columns / parts),
        share(all(1.0f / static_cast<float>(width))) {}
};

void forward_of_images(const Call& call) {
  const Row row(call);
  const V eps = all(static_cast<float>(call.numbers[0]));
  const float *weight = call.parameters[0].values, *bias = call.parameters[1].values;
  HWY_ALIGN float unkept[2 * N];
  for (size_t t = 0; t < call.output.shape.tokens; ++t) {
    const float* x = row_of(call.inputs[0].value, t);
    float* z = row_of(call.output.value, t);
    for (size_t part = 0; part < row.parts; ++part, x += row.width * N, z += row.width * N) {
      float* statistics = call.saved ? call.saved + 2 * (t * row.parts + part) * N : unkept;
      if (!call.again) {
        V sum = zero(), squares = zero();
        for (size_t i = 0; i < row.width; ++i) sum = hn::Add(sum, load(x + i * N));
        const V mean = hn::Mul(sum, row.share);
        for (size_t i = 0; i < row.width; ++i) {
          const V centred = hn::Sub(load(x + i * N), mean);
          squares = hn::MulAdd(centred, centred, squares);
        }
        store(mean, statistics);
        store(hn::Div(all(1), hn::Sqrt(hn::MulAdd(squares, row.share, eps))), statistics + N);
      }
      const V mean = load(statistics), scale = load(statistics + N);
      for (size_t i = 0; i < row.width; ++i) {
        const V h = hn::Mul(hn::Sub(load(x + i * N), mean), scale);
        store(hn::MulAdd(h, all(weight[i]), all(bias[i])), z + i * N);
      }
    }
  }
}

// Adds to the gradients of weight and bias over all tokens, four columns at a time.
void add_to_parameters(const Call& call, const Row& row, size_t part) {
  float *weight = call.parameters[0].gradient, *bias = call.parameters[1].gradient;
  const size_t tokens = call.output.shape.tokens, first = part * row.width;
  const auto add_columns = [&]<size_t C>(size_t i) HWY_ATTR {
    V weights[C], biases[C];
    for (size_t c = 0; c < C; ++c) weights[c] = biases[c] = zero();
    for (size_t t = 0; t < tokens; ++t) {
      const float* statistics = call.saved + 2 * (t * row.parts + part) * N;
      const V mean = load(statistics), scale = load(statistics + N);
      const float* x = row_of(call.inputs[0].value, t) + (first + i) * N;
      const float* dz = row_of(call.output.gradient, t) + (first + i) * N;
      VITRINE_UNROLL_TILE
      for (size_t c = 0; c < C; ++c) {
        const V d = load(dz + c * N);
        biases[c] = hn::Add(biases[c], d);
        weights[c] = hn::MulAdd(d, hn::Mul(hn::Sub(load(x + c * N), mean), scale), weights[c]);
      }
    }
    if constexpr (C == 4) {
      if (weight) add_sums(weights[0], weights[1], weights[2], weights[3], weight + i);
      if (bias) add_sums(biases[0], biases[1], biases[2], biases[3], bias + i);
    } else {
      if (weight) add_sum(weights[0], weight + i);
      if (bias) add_sum(biases[0], bias + i);
    }
  };
  size_t i = 0;
  for (; i + 4 <= row.width; i += 4) add_columns.template operator()<4>(i);
  for (; i < row.width; ++i) add_columns.template operator()<1>(i);
}

void backward_of_images(const Call& call) {
  const Row row(call);
  if (call.parameters[0].gradient || call.parameters[1].gradient) {
    for (size_t part = 0; part < row.parts; ++part) add_to_parameters(call, row, part);
  }
  const auto& input = call.inputs[0];
  if (!input.gradient.at) return;
  const float* weight = call.parameters[0].values;
  for (size_t t = 0; t < call.output.shape.tokens; ++t) {
    const float* x = row_of(input.value, t);
    const float* dz = row_of(call.output.gradient, t);
    float* dx = row_of(input.gradient, t);
    for (size_t part = 0; part < row.parts; ++part) {
      const float* statistics = call.saved + 2 * (t * row.parts + part) * N;
      const V mean = load(statistics), scale = load(statistics + N);
      V sum = zero(), with_h = zero();
      for (size_t i = 0; i < row.width; ++i) {
        const V v = hn::Mul(load(dz + i * N), all(weight[i]));
        sum = hn::Add(sum, v);
        with_h = hn::MulAdd(v, hn::Mul(hn::Sub(load(x + i * N), mean), scale), with_h);
      }
      const V centre = hn::Mul(sum, row.share), slope = hn::Mul(with_h, row.share);
      for (size_t i = 0; i < row.width; ++i) {
        const V v = hn::Mul(load(dz + i * N), all(weight[i]));
        const V h = hn::Mul(hn::Sub(load(x + i * N), mean), scale);
        const V d = hn::Mul(hn::Sub(v, hn::MulAdd(h, slope, centre)), scale);
        put(d, input.adds, dx + i * N);
      }
      x += row.width * N, dz += row.width * N, dx += row.width * N;
    }
  }
}

void forward_of_columns(const Call& call) {
  const size_t parts = call.count(1), width = call.output.shape.columns / parts;
  const float share = 1.0f / static_cast<float>(width), eps = static_cast<float>(call.numbers[0]);
  const float *weight = call.parameters[0].values, *bias = call.parameters[1].values;
  for_rows(call, call.output.shape.tokens, [&](size_t image, size_t t, size_t row) HWY_ATTR {
    const float* x = row_of(call.inputs[0].value, image, t);
    float* z = row_of(call.output.value, image, t);
    for (size_t part_of = 0; part_of < parts; ++part_of, x += width, z += width) {
      float unkept[2];
      float* statistics = call.saved ? call.saved + 2 * (row * parts + part_of) : unkept;
      if (!call.again) {
        V sum = zero(), squares = zero();
        float rest = 0;
        size_t i = 0;
        for (; i + N <= width; i += N) sum = hn::Add(sum, hn::LoadU(Lanes(), x + i));
        for (; i < width; ++i) rest += x[i];
        const float mean = (sum_of(sum) + rest) * share;
        rest = 0;
        for (i = 0; i + N <= width; i += N) {
          const V centred = hn::Sub(hn::LoadU(Lanes(), x + i), all(mean));
          squares = hn::MulAdd(centred, centred, squares);
        }
        for (; i < width; ++i) rest += (x[i] - mean) * (x[i] - mean);
        statistics[0] = mean;
        statistics[1] = 1 / std::sqrt((sum_of(squares) + rest) * share + eps);
      }
      const V mean = all(statistics[0]), scale = all(statistics[1]);
      for_vectors(width, [&](size_t i, auto part) HWY_ATTR {
        const V h = hn::Mul(hn::Sub(part.load(x + i), mean), scale);
        part.store(hn::MulAdd(h, part.load(weight + i), part.load(bias + i)), z + i);
      });
    }
  });
}

void backward_of_columns(const Call& call) {
  const auto& input = call.inputs[0];
  const size_t parts = call.count(1), width = call.output.shape.columns / parts;
  const V share = all(1.0f / static_cast<float>(width));
  const float* weight = call.parameters[0].values;
  float *dweight = call.parameters[0].gradient, *dbias = call.parameters[1].gradient;
  for_rows(call, call.output.shape.tokens, [&](size_t image, size_t t, size_t row) HWY_ATTR {
    const float* x = row_of(input.value, image, t);
    const float* dz = row_of(call.output.gradient, image, t);
    float* dx = input.gradient.at ? row_of(input.gradient, image, t) : nullptr;
    for (size_t part_of = 0; part_of < parts; ++part_of, x += width, dz += width) {
      const float* statistics = call.saved + 2 * (row * parts + part_of);
      const V mean = all(statistics[0]), scale = all(statistics[1]);
      V sum = zero(), with_h = zero();
      for_vectors(width, [&](size_t i, auto part) HWY_ATTR {
        const V d = part.load(dz + i), h = hn::Mul(hn::Sub(part.load(x + i), mean), scale);
        const V v = hn::Mul(d, part.load(weight + i));
        sum = hn::Add(sum, v);
        with_h = hn::MulAdd(v, h, with_h);
        if (dweight) part.store(hn::MulAdd(d, h, part.load(dweight + i)), dweight + i);
        if (dbias) part.put(d, true, dbias + i);
      });
      if (!dx) continue;
      const V centre = hn::Mul(all(sum_of(sum)), share),
              slope = hn::Mul(all(sum_of(with_h)), share);
      for_vectors(width, [&](size_t i, auto part) HWY_ATTR {
        const V h = hn::Mul(hn::Sub(part.load(x + i), mean), scale);
        const V v = hn::Mul(part.load(dz + i), part.load(weight + i));
        part.put(hn::Mul(hn::Sub(v, hn::MulAdd(h, slope, centre)), scale), input.adds, dx + i);
      });
      dx += width;
    }
  });
}

void Forward(const Call& call) {
  call.has_columns() ? forward_of_columns(call) : forward_of_images(call);
}
void Backward(const Call& call) {
  call.has_columns() ? backward_of_columns(call) : backward_of_images(call);
}

}  // namespace
}  // namespace vitrine::layer_norm_operation::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::layer_norm_operation {
namespace {

HWY_EXPORT(Forward);
HWY_EXPORT(Backward);

class LayerNorm : public Operation {
 public:
  Operands operands() const override { return {1, 2}; }
  std::vector<const char*> numbers() const override { return {"eps", "parts"}; }
  Shape shape(const Applied& a) const override {
    const size_t parts = a.count(1), columns = a.inputs[0].columns;
    if (parts == 0 || columns % parts != 0 || a.parameter_size(0) * parts != columns ||
        a.parameter_size(1) * parts != columns) {
      refuse_operands("layer_norm", fmt::format("x has {} columns in {} parts, the weight {}",
                                                columns, parts, a.parameter_size(0)));
    }
    return a.inputs[0];
  }
  bool is_cheap() const override { return true; }
  Needs needs(const Applied&) const override { return {1, false}; }
  size_t saved(const Applied& a) const override { return 2 * a.output.tokens * a.count(1); }
  bool has_columns_layout() const override { return true; }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
  void backward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Backward)(call); }
};

VITRINE_OPERATION(layer_norm, LayerNorm)

}  // namespace
}  // namespace vitrine::layer_norm_operation
#endif

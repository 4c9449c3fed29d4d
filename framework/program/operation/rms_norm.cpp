// Mean square 1 of the columns of each token, then scale; with several parts of the columns each
// part for itself, all with the same weight [columns / parts].
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/rms_norm.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include <fmt/format.h>

#include <cmath>

#include "framework/program/call-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::rms_norm_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

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
  const float* weight = call.parameters[0].values;
  HWY_ALIGN float unkept[N];
  for (size_t t = 0; t < call.output.shape.tokens; ++t) {
    const float* x = row_of(call.inputs[0].value, t);
    float* z = row_of(call.output.value, t);
    for (size_t part = 0; part < row.parts; ++part, x += row.width * N, z += row.width * N) {
      float* saved = call.saved ? call.saved + (t * row.parts + part) * N : unkept;
      if (!call.again) {
        V squares = zero();
        for (size_t i = 0; i < row.width; ++i)
          squares = hn::MulAdd(load(x + i * N), load(x + i * N), squares);
        store(hn::Div(all(1), hn::Sqrt(hn::MulAdd(squares, row.share, eps))), saved);
      }
      const V scale = load(saved);
      for (size_t i = 0; i < row.width; ++i)
        store(hn::Mul(hn::Mul(load(x + i * N), scale), all(weight[i])), z + i * N);
    }
  }
}

void add_to_weight(const Call& call, const Row& row, size_t part, float* weight) {
  const size_t tokens = call.output.shape.tokens, first = part * row.width;
  const auto add_columns = [&]<size_t C>(size_t i) HWY_ATTR {
    V sums[C];
    for (size_t c = 0; c < C; ++c) sums[c] = zero();
    for (size_t t = 0; t < tokens; ++t) {
      const V scale = load(call.saved + (t * row.parts + part) * N);
      const float* x = row_of(call.inputs[0].value, t) + (first + i) * N;
      const float* dz = row_of(call.output.gradient, t) + (first + i) * N;
      VITRINE_UNROLL_TILE
      for (size_t c = 0; c < C; ++c)
        sums[c] = hn::MulAdd(load(dz + c * N), hn::Mul(load(x + c * N), scale), sums[c]);
    }
    if constexpr (C == 4) {
      add_sums(sums[0], sums[1], sums[2], sums[3], weight + i);
    } else {
      add_sum(sums[0], weight + i);
    }
  };
  size_t i = 0;
  for (; i + 4 <= row.width; i += 4) add_columns.template operator()<4>(i);
  for (; i < row.width; ++i) add_columns.template operator()<1>(i);
}

void backward_of_images(const Call& call) {
  const Row row(call);
  if (float* gradient = call.parameters[0].gradient) {
    for (size_t part = 0; part < row.parts; ++part) add_to_weight(call, row, part, gradient);
  }
  const auto& input = call.inputs[0];
  if (!input.gradient.at) return;
  const float* weight = call.parameters[0].values;
  for (size_t t = 0; t < call.output.shape.tokens; ++t) {
    const float* x = row_of(input.value, t);
    const float* dz = row_of(call.output.gradient, t);
    float* dx = row_of(input.gradient, t);
    for (size_t part = 0; part < row.parts; ++part) {
      const V scale = load(call.saved + (t * row.parts + part) * N);
      V with_h = zero();
      for (size_t i = 0; i < row.width; ++i) {
        const V v = hn::Mul(load(dz + i * N), all(weight[i]));
        with_h = hn::MulAdd(v, hn::Mul(load(x + i * N), scale), with_h);
      }
      const V slope = hn::Mul(with_h, row.share);
      for (size_t i = 0; i < row.width; ++i) {
        const V v = hn::Mul(load(dz + i * N), all(weight[i]));
        const V h = hn::Mul(load(x + i * N), scale);
        put(hn::Mul(hn::NegMulAdd(h, slope, v), scale), input.adds, dx + i * N);
      }
      x += row.width * N, dz += row.width * N, dx += row.width * N;
    }
  }
}

void forward_of_columns(const Call& call) {
  const size_t parts = call.count(1), width = call.output.shape.columns / parts;
  const float share = 1.0f / static_cast<float>(width), eps = static_cast<float>(call.numbers[0]);
  const float* weight = call.parameters[0].values;
  for_rows(call, call.output.shape.tokens, [&](size_t image, size_t t, size_t row) HWY_ATTR {
    const float* x = row_of(call.inputs[0].value, image, t);
    float* z = row_of(call.output.value, image, t);
    for (size_t part_of = 0; part_of < parts; ++part_of, x += width, z += width) {
      float unkept = 0;
      float* saved = call.saved ? call.saved + row * parts + part_of : &unkept;
      if (!call.again) {
        V squares = zero();
        for_vectors(width, [&](size_t i, auto part) HWY_ATTR {
          squares = hn::MulAdd(part.load(x + i), part.load(x + i), squares);
        });
        *saved = 1 / std::sqrt(sum_of(squares) * share + eps);
      }
      const V scale = all(*saved);
      for_vectors(width, [&](size_t i, auto part) HWY_ATTR {
        part.store(hn::Mul(hn::Mul(part.load(x + i), scale), part.load(weight + i)), z + i);
      });
    }
  });
}

void backward_of_columns(const Call& call) {
  const auto& input = call.inputs[0];
  const size_t parts = call.count(1), width = call.output.shape.columns / parts;
  const float* weight = call.parameters[0].values;
  float* dweight = call.parameters[0].gradient;
  for_rows(call, call.output.shape.tokens, [&](size_t image, size_t t, size_t row) HWY_ATTR {
    const float* x = row_of(input.value, image, t);
    const float* dz = row_of(call.output.gradient, image, t);
    float* dx = input.gradient.at ? row_of(input.gradient, image, t) : nullptr;
    for (size_t part_of = 0; part_of < parts; ++part_of, x += width, dz += width) {
      const V scale = all(call.saved[row * parts + part_of]);
      V with_h = zero();
      for_vectors(width, [&](size_t i, auto part) HWY_ATTR {
        const V d = part.load(dz + i), h = hn::Mul(part.load(x + i), scale);
        with_h = hn::MulAdd(hn::Mul(d, part.load(weight + i)), h, with_h);
        if (dweight) part.store(hn::MulAdd(d, h, part.load(dweight + i)), dweight + i);
      });
      if (!dx) continue;
      const V slope = all(sum_of(with_h) / static_cast<float>(width));
      for_vectors(width, [&](size_t i, auto part) HWY_ATTR {
        const V h = hn::Mul(part.load(x + i), scale);
        const V v = hn::Mul(part.load(dz + i), part.load(weight + i));
        part.put(hn::Mul(hn::NegMulAdd(h, slope, v), scale), input.adds, dx + i);
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
}  // namespace vitrine::rms_norm_operation::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::rms_norm_operation {
namespace {

HWY_EXPORT(Forward);
HWY_EXPORT(Backward);

class RmsNorm : public Operation {
 public:
  Operands operands() const override { return {1, 1}; }
  std::vector<const char*> numbers() const override { return {"eps", "parts"}; }
  Shape shape(const Applied& a) const override {
    const size_t parts = a.count(1), columns = a.inputs[0].columns;
    if (parts == 0 || columns % parts != 0 || a.parameter_size(0) * parts != columns) {
      refuse_operands("rms_norm", fmt::format("x has {} columns in {} parts, the weight {}",
                                              columns, parts, a.parameter_size(0)));
    }
    return a.inputs[0];
  }
  bool is_cheap() const override { return true; }
  Needs needs(const Applied&) const override { return {1, false}; }
  size_t saved(const Applied& a) const override { return a.output.tokens * a.count(1); }
  bool has_columns_layout() const override { return true; }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
  void backward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Backward)(call); }
};

VITRINE_OPERATION(rms_norm, RmsNorm)

}  // namespace
}  // namespace vitrine::rms_norm_operation
#endif

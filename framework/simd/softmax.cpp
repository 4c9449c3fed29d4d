// Compiled once for each instruction set; the best one is picked as the program runs.
#include "framework/simd/softmax.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/simd/softmax.cpp"
#include "framework/simd/targets.h"
// After it:
#include <cmath>

#include "framework/simd/rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::simd::HWY_NAMESPACE {
namespace {

constexpr float kLog2E = 1.44269504f;

V exp(V x) { return exp2(hn::Mul(x, all(kLog2E))); }

// Calls `work` for as many rows as a vector has lanes at a time: with x (and gradient, if there is
// one) as vectors, a column each; writes what is left in x to `out`.
template <class Work>
void for_each_group(const float* x, const float* gradient, size_t rows, size_t columns, float* out,
                    const Work& work) {
  float* vectors = scratch(2 * columns);
  float* second = vectors + columns * N;
  for (size_t row = 0; row < rows; row += N) {
    const size_t count = std::min(N, rows - row), at = row * columns;
    const Offsets offsets = offsets_of(count, columns * sizeof(float));
    spread_floats(x + at, offsets, columns, vectors);
    if (gradient) spread_floats(gradient + at, offsets, columns, second);
    work(vectors, second);
    collect_floats(vectors, columns, 1, count, columns, out + at);
  }
}

}  // namespace

void Softmax(const float* x, size_t rows, size_t columns, bool of_log, float* out) {
  for_each_group(x, nullptr, rows, columns, out, [&](float* v, float*) HWY_ATTR {
    const size_t end = columns * N;
    V maximum = load(v), sum = zero();
    for (size_t i = N; i < end; i += N) maximum = hn::Max(maximum, load(v + i));
    for (size_t i = 0; i < end; i += N) {
      const V ahead = hn::Sub(load(v + i), maximum);
      const V power = exp(ahead);
      store(of_log ? ahead : power, v + i);
      sum = hn::Add(sum, power);
    }
    const V shift = of_log ? log(sum) : zero();
    const V factor = of_log ? all(1) : hn::Div(all(1), sum);
    for (size_t i = 0; i < end; i += N) store(hn::Mul(hn::Sub(load(v + i), shift), factor), v + i);
  });
}

void Backward(const float* y, const float* gradient, size_t rows, size_t columns, bool of_log,
              float* out) {
  for_each_group(y, gradient, rows, columns, out, [&](float* v, const float* g) HWY_ATTR {
    const size_t end = columns * N;
    V sum = zero();
    for (size_t i = 0; i < end; i += N) {
      sum = of_log ? hn::Add(sum, load(g + i)) : hn::MulAdd(load(v + i), load(g + i), sum);
    }
    for (size_t i = 0; i < end; i += N) {
      const V p = load(v + i), slope = load(g + i);
      store(of_log ? hn::NegMulAdd(exp(p), sum, slope) : hn::Mul(p, hn::Sub(slope, sum)), v + i);
    }
  });
}

}  // namespace vitrine::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::simd {

HWY_EXPORT(Softmax);
HWY_EXPORT(Backward);

void softmax(const float* x, size_t rows, size_t columns, float* out) {
  HWY_DYNAMIC_DISPATCH(Softmax)(x, rows, columns, false, out);
}
void log_softmax(const float* x, size_t rows, size_t columns, float* out) {
  HWY_DYNAMIC_DISPATCH(Softmax)(x, rows, columns, true, out);
}
void softmax_backward(const float* out, const float* out_gradient, size_t rows, size_t columns,
                      float* x_gradient) {
  HWY_DYNAMIC_DISPATCH(Backward)(out, out_gradient, rows, columns, false, x_gradient);
}
void log_softmax_backward(const float* out, const float* out_gradient, size_t rows, size_t columns,
                          float* x_gradient) {
  HWY_DYNAMIC_DISPATCH(Backward)(out, out_gradient, rows, columns, true, x_gradient);
}

}  // namespace vitrine::simd
#endif

// The layers of a block, forward and backward, for one group. Included once for each instruction
// set. Matrices are [tokens][columns] of vectors; `n` counts tokens.
#if defined(VITRINE_FUSED_LAYERS) == defined(HWY_TARGET_TOGGLE)
#ifdef VITRINE_FUSED_LAYERS
#undef VITRINE_FUSED_LAYERS
#else
#define VITRINE_FUSED_LAYERS
#endif

#include <cmath>

#include "framework/simd/attention-inl.h"
#include "models/encoder/fused/network.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::fused::HWY_NAMESPACE {

using namespace simd::HWY_NAMESPACE;

// --- linear layers; rows of `in` are in_width vectors apart, those of `out` out_width

inline void linear(const Linear& l, const float* in, size_t in_width, float* out, size_t out_width,
                   size_t n) {
  product<true, false>(target(out + l.to * N, out_width), vectors(in + l.from * N, in_width, 1),
                       {l.weight.values, l.in, 1}, n, l.out, l.in, l.bias.values);
}

inline void add_linear(const Linear& l, const float* in, size_t in_width, float* out,
                       size_t out_width, size_t n) {
  product<true, true>(target(out + l.to * N, out_width), vectors(in + l.from * N, in_width, 1),
                      {l.weight.values, l.in, 1}, n, l.out, l.in, l.bias.values);
}

// The gradients of weight and bias from that of the output, `dout`.
inline void linear_gradients(const Linear& l, const float* in, size_t in_width, const float* dout,
                             size_t out_width, size_t n, float* gradients) {
  if (l.weight.gradient != kNoGradient) {
    summed_product(gradients + l.weight.gradient, vectors(dout + l.to * N, 1, out_width),
                   vectors(in + l.from * N, 1, in_width), l.out, l.in, n);
  }
  if (l.bias.values && l.bias.gradient != kNoGradient)
    summed_columns(gradients + l.bias.gradient, dout + l.to * N, out_width, l.out, n);
}

// The gradient of the input, added to `din` or replacing it.
template <bool kAdd>
void linear_input(const Linear& l, const float* dout, size_t out_width, float* din, size_t in_width,
                  size_t n) {
  product<true, kAdd>(target(din + l.from * N, in_width), vectors(dout + l.to * N, out_width, 1),
                      {l.weight.values, 1, l.in}, n, l.in, l.out);
}

// --- layer norm

// Statistics of each token, and z = (x - mean) * scale * weight + bias.
inline void norm(const Norm& norm, const float* x, size_t d, size_t n, float* mean, float* scale,
                 float* z) {
  const V share = all(1.0f / static_cast<float>(d));
  for (size_t t = 0; t < n; ++t, x += d * N, z += d * N) {
    V sum = zero(), squares = zero();
    for (size_t i = 0; i < d; ++i) sum = hn::Add(sum, load(x + i * N));
    const V m = hn::Mul(sum, share);
    for (size_t i = 0; i < d; ++i) {
      const V centred = hn::Sub(load(x + i * N), m);
      squares = hn::MulAdd(centred, centred, squares);
    }
    const V s = hn::Div(all(1), hn::Sqrt(hn::MulAdd(squares, share, all(norm.eps))));
    store(m, mean + t * N);
    store(s, scale + t * N);
    for (size_t i = 0; i < d; ++i) {
      const V h = hn::Mul(hn::Sub(load(x + i * N), m), s);
      store(hn::MulAdd(h, all(norm.weight.values[i]), all(norm.bias.values[i])), z + i * N);
    }
  }
}

// h = (x - mean) * scale and z = h * weight + bias once more, from the statistics.
inline void norm_again(const Norm& norm, const float* x, size_t d, size_t n, const float* mean,
                       const float* scale, float* h, float* z) {
  for (size_t t = 0; t < n; ++t) {
    const V m = load(mean + t * N), s = load(scale + t * N);
    for (size_t i = 0; i < d; ++i) {
      const size_t at = (t * d + i) * N;
      const V normal = hn::Mul(hn::Sub(load(x + at), m), s);
      store(normal, h + at);
      store(hn::MulAdd(normal, all(norm.weight.values[i]), all(norm.bias.values[i])), z + at);
    }
  }
}

// Adds to dx; dz is used up.
inline void norm_backward(const Norm& norm, const float* h, const float* scale, float* dz, size_t d,
                          size_t n, float* dx, float* gradients) {
  if (norm.weight.gradient != kNoGradient) {
    size_t i = 0;
    for (; i + 4 <= d; i += 4) {
      V s0 = zero(), s1 = zero(), s2 = zero(), s3 = zero();
      for (size_t t = 0; t < n; ++t) {
        const float *a = dz + (t * d + i) * N, *b = h + (t * d + i) * N;
        s0 = hn::MulAdd(load(a), load(b), s0);
        s1 = hn::MulAdd(load(a + N), load(b + N), s1);
        s2 = hn::MulAdd(load(a + 2 * N), load(b + 2 * N), s2);
        s3 = hn::MulAdd(load(a + 3 * N), load(b + 3 * N), s3);
      }
      add_sums(s0, s1, s2, s3, gradients + norm.weight.gradient + i);
    }
    for (; i < d; ++i) {
      V sum = zero();
      for (size_t t = 0; t < n; ++t)
        sum = hn::MulAdd(load(dz + (t * d + i) * N), load(h + (t * d + i) * N), sum);
      add_sum(sum, gradients + norm.weight.gradient + i);
    }
  }
  if (norm.bias.gradient != kNoGradient)
    summed_columns(gradients + norm.bias.gradient, dz, d, d, n);
  const V share = all(1.0f / static_cast<float>(d));
  for (size_t t = 0; t < n; ++t, h += d * N, dz += d * N, dx += d * N) {
    V sum = zero(), with_h = zero();
    for (size_t i = 0; i < d; ++i) {
      const V v = hn::Mul(load(dz + i * N), all(norm.weight.values[i]));
      store(v, dz + i * N);
      sum = hn::Add(sum, v);
      with_h = hn::MulAdd(v, load(h + i * N), with_h);
    }
    const V s = load(scale + t * N), mean = hn::Mul(sum, share), slope = hn::Mul(with_h, share);
    for (size_t i = 0; i < d; ++i) {
      const V v = hn::Sub(load(dz + i * N), hn::MulAdd(load(h + i * N), slope, mean));
      store(hn::MulAdd(v, s, load(dx + i * N)), dx + i * N);
    }
  }
}

// --- GELU of n vectors in place; `slope` gets its derivative

inline void gelu_all(float* g, float* slope, size_t n) {
  for (size_t i = 0; i < n * N; i += N) {
    V s;
    store(gelu(load(g + i), s), g + i);
    store(s, slope + i);
  }
}

inline void multiply_all(float* x, const float* by, size_t n) {
  for (size_t i = 0; i < n * N; i += N) store(hn::Mul(load(x + i), load(by + i)), x + i);
}
inline void scale_all(float* x, float by, size_t n) {
  for (size_t i = 0; i < n * N; i += N) store(hn::Mul(load(x + i), all(by)), x + i);
}

}  // namespace vitrine::fused::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif

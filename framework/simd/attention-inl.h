// Attention of one head, forward and backward. Included once for each instruction set.
#if defined(VITRINE_SIMD_ATTENTION) == defined(HWY_TARGET_TOGGLE)
#ifdef VITRINE_SIMD_ATTENTION
#undef VITRINE_SIMD_ATTENTION
#else
#define VITRINE_SIMD_ATTENTION
#endif

#include "framework/simd/tiles-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::simd::HWY_NAMESPACE {

// n queries on T tokens; all matrices are d vectors wide, and the
// pointers are to the head's first column. q has been multiplied by log2(e) / sqrt(width).

struct Head {
  const float *q, *k, *v;
  float *o, *maximum, *inverse;
  size_t d, width, tokens;
};

// o of R queries from `t` on, and what the softmax was divided by.
template <int R, size_t kWidth>
HWY_INLINE void attend_rows(const Head& head, size_t t, float* scores) {
  const size_t tokens = head.tokens, row = head.d;
  const size_t width = kWidth > 0 ? kWidth : head.width;
  const Factor q = vectors(head.q + t * row * N, row, 1);
  V maximum[R];
  VITRINE_UNROLL_TILE
  for (int r = 0; r < R; ++r) maximum[r] = all(-1e30f);
  const auto score = [&]<int C>(size_t u) HWY_ATTR {
    V sums[R * C];
    multiply<R, C, false, false>(sums, q, vectors(head.k + u * row * N, row, 1), width);
    VITRINE_UNROLL_TILE
    for (int r = 0; r < R; ++r) {
      VITRINE_UNROLL_TILE
      for (int c = 0; c < C; ++c) {
        maximum[r] = hn::Max(maximum[r], sums[r * C + c]);
        store(sums[r * C + c], scores + (r * tokens + u + c) * N);
      }
    }
  };
  size_t u = 0;
  for (; u + kColumns <= tokens; u += kColumns) score.template operator()<kColumns>(u);
  for (; u < tokens; ++u) score.template operator()<1>(u);
  VITRINE_UNROLL_TILE
  for (int r = 0; r < R; ++r) {
    V sum = zero();
    float* p = scores + r * tokens * N;
    for (u = 0; u < tokens; ++u) {
      const V e = exp2(hn::Sub(load(p + u * N), maximum[r]));
      sum = hn::Add(sum, e);
      store(e, p + u * N);
    }
    store(maximum[r], head.maximum + (t + r) * N);
    store(hn::Div(all(1), sum), head.inverse + (t + r) * N);
  }
  float* o = head.o + t * row * N;
  product<false, false>(target(o, row), vectors(scores, tokens, 1), vectors(head.v, 1, row), R,
                        width, tokens);
  VITRINE_UNROLL_TILE
  for (int r = 0; r < R; ++r) {
    const V inverse = load(head.inverse + (t + r) * N);
    for (size_t i = 0; i < width; ++i) {
      float* p = o + (r * row + i) * N;
      store(hn::Mul(load(p), inverse), p);
    }
  }
}

template <size_t kWidth>
void attend_width(const Head& head, size_t n, float* scores) {
  size_t t = 0;
  for (; t + kRows <= n; t += kRows) attend_rows<kRows, kWidth>(head, t, scores);
  for (; t < n; ++t) attend_rows<1, kWidth>(head, t, scores);
}

inline void attend(const Head& head, size_t n, float* scores) {
  switch (head.width) {
    case 4:
      return attend_width<4>(head, n, scores);
    case 8:
      return attend_width<8>(head, n, scores);
    default:
      return attend_width<0>(head, n, scores);
  }
}

struct HeadGradients {
  const float* dout;    // of o
  float *dq, *dk, *dv;  // dq is written; dk and dv are added to
};

// dq comes without the factor 1 / sqrt(width), dk with one of log2(e) too much.
template <int R, size_t kWidth>
HWY_INLINE void attend_rows_backward(const Head& head, const HeadGradients& to, size_t t,
                                     float* scores) {
  const size_t tokens = head.tokens, row = head.d;
  const size_t width = kWidth > 0 ? kWidth : head.width;
  const float* dout = to.dout + t * row * N;
  float *p = scores, *ds = scores + kRows * tokens * N;
  // Sums begin at what would be subtracted from them.
  V minus_maximum[R], inverse[R], minus_mean[R];  // the mean of the probabilities' gradients
  VITRINE_UNROLL_TILE
  for (int r = 0; r < R; ++r) {
    minus_maximum[r] = hn::Neg(load(head.maximum + (t + r) * N));
    inverse[r] = load(head.inverse + (t + r) * N);
    minus_mean[r] = zero();
    for (size_t i = 0; i < width; ++i) {
      const size_t at = (r * row + i) * N;
      minus_mean[r] =
          hn::NegMulAdd(load(dout + at), load(head.o + t * row * N + at), minus_mean[r]);
    }
  }
  const Factor q = vectors(head.q + t * row * N, row, 1), g = vectors(dout, row, 1);
  const auto score = [&]<int C>(size_t u) HWY_ATTR {
    V sums[R * C];
    VITRINE_UNROLL_TILE
    for (int i = 0; i < R * C; ++i) sums[i] = minus_maximum[i / C];
    multiply<R, C, false, true>(sums, q, vectors(head.k + u * row * N, row, 1), width);
    VITRINE_UNROLL_TILE
    for (int i = 0; i < R * C; ++i)
      store(hn::Mul(exp2(sums[i]), inverse[i / C]), p + (i / C * tokens + u + i % C) * N);
    VITRINE_UNROLL_TILE
    for (int i = 0; i < R * C; ++i) sums[i] = minus_mean[i / C];
    multiply<R, C, false, true>(sums, g, vectors(head.v + u * row * N, row, 1), width);
    VITRINE_UNROLL_TILE
    for (int i = 0; i < R * C; ++i) {
      const size_t at = (i / C * tokens + u + i % C) * N;
      store(hn::Mul(load(p + at), sums[i]), ds + at);
    }
  };
  size_t u = 0;
  for (; u + kColumns <= tokens; u += kColumns) score.template operator()<kColumns>(u);
  for (; u < tokens; ++u) score.template operator()<1>(u);
  product<false, false>(target(to.dq + t * row * N, row), vectors(ds, tokens, 1),
                        vectors(head.k, 1, row), R, head.width, tokens);
  product<false, true>(target(to.dk, row), vectors(ds, 1, tokens), vectors(q.start, 1, row), tokens,
                       head.width, R);
  product<false, true>(target(to.dv, row), vectors(p, 1, tokens), vectors(dout, 1, row), tokens,
                       head.width, R);
}

template <size_t kWidth>
void attend_width_backward(const Head& head, const HeadGradients& to, size_t n, float* scores) {
  size_t t = 0;
  for (; t + kRows <= n; t += kRows) attend_rows_backward<kRows, kWidth>(head, to, t, scores);
  for (; t < n; ++t) attend_rows_backward<1, kWidth>(head, to, t, scores);
}

inline void attend_backward(const Head& head, const HeadGradients& to, size_t n, float* scores) {
  switch (head.width) {
    case 4:
      return attend_width_backward<4>(head, to, n, scores);
    case 8:
      return attend_width_backward<8>(head, to, n, scores);
    default:
      return attend_width_backward<0>(head, to, n, scores);
  }
}

}  // namespace vitrine::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif

// Attention of one head, forward and backward. Included once for each instruction set.
#if defined(VITRINE_SIMD_ATTENTION) == defined(HWY_TARGET_TOGGLE)
#ifdef VITRINE_SIMD_ATTENTION
#undef VITRINE_SIMD_ATTENTION
#else
#define VITRINE_SIMD_ATTENTION
#endif

#include "framework/simd/matrix-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::simd::HWY_NAMESPACE {

// At once. The gradients of k and v are sums over so many queries, so that kQueries is a matter of
// bits.
constexpr size_t kQueries = 4;
constexpr size_t kKeys = HWY_MAX_BYTES == 64 || HWY_ARCH_ARM_A64 ? 4 : 2;

// Queries of T tokens: softmax(scale q k^T) v. The matrices are the head's own columns.
struct Head {
  Matrix q, k, v, o;
  float *maximum, *inverse;  // of each query's softmax: what forward leaves for backward
  size_t width, tokens;
  float scale;
};

// Vectors of scratch that both directions need.
inline size_t attention_scratch(size_t width, size_t tokens) {
  return kQueries * (2 * tokens + width);
}

// Stands for probabilities that nothing is drawn for.
struct NoDropout {
  static constexpr bool kDraws = false;
  HWY_INLINE V factor(size_t, size_t) const { return all(1); }
};

// R rows from `t` on, each number times `factor`, densely.
template <int R>
HWY_INLINE void scaled_rows(const Matrix& from, size_t t, size_t width, float factor, float* to) {
  for (int r = 0; r < R; ++r) {
    const float* row = row_of(from, t + r);
    for (size_t i = 0; i < width * N; i += N, to += N)
      store(hn::Mul(load(row + i), all(factor)), to);
  }
}
HWY_INLINE Matrix rows_from(const Matrix& m, size_t t) { return {row_of(m, t), m.row, m.image}; }

// o of R queries from `t` on, and what the softmax was divided by.
template <int R, size_t kWidth, class Dropout>
HWY_INLINE void attend_rows(const Head& head, size_t t, float* scratch, const Dropout& dropout) {
  const size_t tokens = head.tokens, width = kWidth > 0 ? kWidth : head.width;
  float *scores = scratch, *queries = scratch + 2 * kQueries * tokens * N;
  scaled_rows<R>(head.q, t, width, head.scale * 1.44269504f, queries);
  V maximum[R];
  VITRINE_UNROLL_TILE
  for (int r = 0; r < R; ++r) maximum[r] = all(-1e30f);
  const auto score = [&]<int C>(size_t u) HWY_ATTR {
    V sums[R * C];
    multiply<R, C, false, false>(sums, vectors(queries, width, 1), by_rows(rows_from(head.k, u)),
                                 width);
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
  for (; u + kKeys <= tokens; u += kKeys) score.template operator()<kKeys>(u);
  for (; u < tokens; ++u) score.template operator()<1>(u);
  VITRINE_UNROLL_TILE
  for (int r = 0; r < R; ++r) {
    V sum = zero();
    float* p = scores + r * tokens * N;
    for (u = 0; u < tokens; ++u) {
      const V e = exp2(hn::Sub(load(p + u * N), maximum[r]));
      sum = hn::Add(sum, e);
      store(Dropout::kDraws ? hn::Mul(e, dropout.factor(t + r, u)) : e, p + u * N);
    }
    store(maximum[r], head.maximum + (t + r) * N);
    store(hn::Div(all(1), sum), head.inverse + (t + r) * N);
  }
  product<false, false>(target_of(rows_from(head.o, t)), vectors(scores, tokens, 1),
                        by_columns(head.v), R, width, tokens);
  VITRINE_UNROLL_TILE
  for (int r = 0; r < R; ++r) {
    const V inverse = load(head.inverse + (t + r) * N);
    float* o = row_of(head.o, t + r);
    for (size_t i = 0; i < width * N; i += N) store(hn::Mul(load(o + i), inverse), o + i);
  }
}

template <size_t kWidth, class Dropout>
void attend_width(const Head& head, size_t n, float* scratch, const Dropout& dropout) {
  size_t t = 0;
  for (; t + kQueries <= n; t += kQueries) attend_rows<kQueries, kWidth>(head, t, scratch, dropout);
  for (; t < n; ++t) attend_rows<1, kWidth>(head, t, scratch, dropout);
}

// n queries.
template <class Dropout = NoDropout>
void attend(const Head& head, size_t n, float* scratch, const Dropout& dropout = {}) {
  switch (head.width) {
    case 4:
      return attend_width<4>(head, n, scratch, dropout);
    case 8:
      return attend_width<8>(head, n, scratch, dropout);
    default:
      return attend_width<0>(head, n, scratch, dropout);
  }
}

struct HeadGradients {
  Matrix o, q, k, v;
};

// The gradients by R queries, written, and by k and v, which are added to.
template <int R, size_t kWidth, class Dropout>
HWY_INLINE void attend_rows_backward(const Head& head, const HeadGradients& to, size_t t,
                                     float* scratch, const Dropout& dropout) {
  const size_t tokens = head.tokens, width = kWidth > 0 ? kWidth : head.width;
  float *p = scratch, *ds = p + kQueries * tokens * N, *rows = ds + kQueries * tokens * N;
  // Sums begin at what would be subtracted from them.
  V minus_maximum[R], inverse[R], minus_mean[R];  // the mean of the probabilities' gradients
  VITRINE_UNROLL_TILE
  for (int r = 0; r < R; ++r) {
    minus_maximum[r] = hn::Neg(load(head.maximum + (t + r) * N));
    inverse[r] = load(head.inverse + (t + r) * N);
    minus_mean[r] = zero();
    const float *g = row_of(to.o, t + r), *o = row_of(head.o, t + r);
    for (size_t i = 0; i < width * N; i += N)
      minus_mean[r] = hn::NegMulAdd(load(g + i), load(o + i), minus_mean[r]);
    minus_mean[r] = hn::Mul(minus_mean[r], all(head.scale));
  }
  scaled_rows<R>(head.q, t, width, head.scale * 1.44269504f, rows);
  const auto probability = [&]<int C>(size_t u) HWY_ATTR {
    V sums[R * C];
    VITRINE_UNROLL_TILE
    for (int i = 0; i < R * C; ++i) sums[i] = minus_maximum[i / C];
    multiply<R, C, false, true>(sums, vectors(rows, width, 1), by_rows(rows_from(head.k, u)),
                                width);
    VITRINE_UNROLL_TILE
    for (int i = 0; i < R * C; ++i)
      store(hn::Mul(exp2(sums[i]), inverse[i / C]), p + (i / C * tokens + u + i % C) * N);
  };
  size_t u = 0;
  for (; u + kKeys <= tokens; u += kKeys) probability.template operator()<kKeys>(u);
  for (; u < tokens; ++u) probability.template operator()<1>(u);
  scaled_rows<R>(to.o, t, width, head.scale, rows);
  const auto slope = [&]<int C>(size_t u) HWY_ATTR {
    V sums[R * C];
    VITRINE_UNROLL_TILE
    for (int i = 0; i < R * C; ++i) sums[i] = Dropout::kDraws ? zero() : minus_mean[i / C];
    multiply<R, C, false, true>(sums, vectors(rows, width, 1), by_rows(rows_from(head.v, u)),
                                width);
    VITRINE_UNROLL_TILE
    for (int i = 0; i < R * C; ++i) {
      const size_t at = (i / C * tokens + u + i % C) * N;
      if constexpr (Dropout::kDraws) {
        const V factor = dropout.factor(t + i / C, u + i % C);
        store(hn::Mul(load(p + at), hn::MulAdd(sums[i], factor, minus_mean[i / C])), ds + at);
        store(hn::Mul(load(p + at), factor), p + at);
      } else {
        store(hn::Mul(load(p + at), sums[i]), ds + at);
      }
    }
  };
  u = 0;
  for (; u + kKeys <= tokens; u += kKeys) slope.template operator()<kKeys>(u);
  for (; u < tokens; ++u) slope.template operator()<1>(u);
  product<false, false>(target_of(rows_from(to.q, t)), vectors(ds, tokens, 1), by_columns(head.k),
                        R, width, tokens);
  product<false, true>(target_of(to.k), vectors(ds, 1, tokens), by_columns(rows_from(head.q, t)),
                       tokens, width, R);
  product<false, true>(target_of(to.v), vectors(p, 1, tokens), by_columns(rows_from(to.o, t)),
                       tokens, width, R);
}

template <size_t kWidth, class Dropout>
void attend_width_backward(const Head& head, const HeadGradients& to, size_t n, float* scratch,
                           const Dropout& dropout) {
  size_t t = 0;
  for (; t + kQueries <= n; t += kQueries)
    attend_rows_backward<kQueries, kWidth>(head, to, t, scratch, dropout);
  for (; t < n; ++t) attend_rows_backward<1, kWidth>(head, to, t, scratch, dropout);
}

template <class Dropout = NoDropout>
void attend_backward(const Head& head, const HeadGradients& to, size_t n, float* scratch,
                     const Dropout& dropout = {}) {
  switch (head.width) {
    case 4:
      return attend_width_backward<4>(head, to, n, scratch, dropout);
    case 8:
      return attend_width_backward<8>(head, to, n, scratch, dropout);
    default:
      return attend_width_backward<0>(head, to, n, scratch, dropout);
  }
}

}  // namespace vitrine::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif

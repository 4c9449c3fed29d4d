// Products of matrices whose elements are vectors (of one number an image), in tiles that fit the
// registers. Included once for each instruction set.
#if defined(VITRINE_SIMD_TILES) == defined(HWY_TARGET_TOGGLE)
#ifdef VITRINE_SIMD_TILES
#undef VITRINE_SIMD_TILES
#else
#define VITRINE_SIMD_TILES
#endif

#include <algorithm>

#include "framework/simd/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::simd::HWY_NAMESPACE {

// The sums, a column of one operand and an element of the other fill 16 registers, or much of 32.
constexpr size_t kRows = HWY_MAX_BYTES == 64 || HWY_ARCH_ARM_A64 ? 4 : 3;
constexpr size_t kColumns = 4;
// Before a loop over a tile's vectors, of which there are at most 16: one that clang does not
// unroll keeps them all in memory.
#define VITRINE_UNROLL_TILE HWY_UNROLL(16)

// Where the elements of a factor lie, in floats: `across` to the next row (or column) of the
// product, `along` to the next term of its sum. Elements are vectors, or single weights for all
// images.
struct Factor {
  const float* start;
  size_t across, along;
  Factor from(size_t i) const { return {start + i * across, across, along}; }
};
inline Factor vectors(const float* start, size_t across, size_t along) {
  return {start, across * N, along * N};
}

// sums[r * C + c] = or += a[r][0] * b[c][0].
template <int R, int C, bool kWeights, bool kAdd>
HWY_INLINE void multiply_term(V (&sums)[R * C], Factor a, Factor b) {
  V rows[R];
  VITRINE_UNROLL_TILE
  for (int r = 0; r < R; ++r) rows[r] = load(a.start + r * a.across);
  VITRINE_UNROLL_TILE
  for (int c = 0; c < C; ++c) {
    const float* element = b.start + c * b.across;
    const V column = kWeights ? all(*element) : load(element);
    VITRINE_UNROLL_TILE
    for (int r = 0; r < R; ++r) {
      V& sum = sums[r * C + c];
      sum = kAdd ? hn::MulAdd(rows[r], column, sum) : hn::Mul(rows[r], column);
    }
  }
}

// How many terms a sum has: `n`, in each of so many runs, whose first terms lie a_step and b_step
// floats apart.
struct Terms {
  size_t n, runs, a_step, b_step;
  Terms(size_t n, size_t runs = 1, size_t a_step = 0, size_t b_step = 0)
      : n(n), runs(runs), a_step(a_step), b_step(b_step) {}
};

// sums[r * C + c] = or += sum over the terms k of a[r][k] * b[c][k]. Without kAdd there is one at
// least.
template <int R, int C, bool kWeights, bool kAdd>
HWY_INLINE void multiply(V (&sums)[R * C], Factor a, Factor b, const Terms& terms) {
  size_t k = 0;
  if constexpr (!kAdd) {
    multiply_term<R, C, kWeights, false>(sums, a, b);
    k = 1;
  }
  for (size_t run = 0;;) {
    for (; k < terms.n; ++k) {
      multiply_term<R, C, kWeights, true>(sums, {a.start + k * a.along, a.across, a.along},
                                          {b.start + k * b.along, b.across, b.along});
    }
    if (++run >= terms.runs) return;
    k = 0;
    a.start += terms.a_step;
    b.start += terms.b_step;
  }
}

// One vector each: out + r * row + c * column.
struct Target {
  float* start;
  size_t row, column;
  float* at(size_t r, size_t c) const { return start + r * row + c * column; }
  Target from(size_t r, size_t c) const { return {at(r, c), row, column}; }
};
inline Target target(float* start, size_t row, size_t column = 1) {
  return {start, row * N, column * N};
}

template <int R, int C, bool kWeights, bool kAdd>
HWY_INLINE void product_tile(Target out, Target addend, Factor a, Factor b, const Terms& terms,
                             const float* bias) {
  V sums[R * C];
  multiply<R, C, kWeights, false>(sums, a, b, terms);
  VITRINE_UNROLL_TILE
  for (int r = 0; r < R; ++r) {
    VITRINE_UNROLL_TILE
    for (int c = 0; c < C; ++c) {
      V& sum = sums[r * C + c];
      if (kAdd) sum = hn::Add(sum, load(addend.at(r, c)));
      if (bias) sum = hn::Add(sum, all(bias[c]));
    }
  }
  VITRINE_UNROLL_TILE
  for (int r = 0; r < R; ++r) {
    VITRINE_UNROLL_TILE
    for (int c = 0; c < C; ++c) store(sums[r * C + c], out.at(r, c));
  }
}

// out[r][c] = bias[c] + sum over the terms k of a[r][k] * b[c][k], and addend[r][c] with kAdd.
template <bool kWeights, bool kAdd>
void product(Target out, Target addend, Factor a, Factor b, size_t rows, size_t columns,
             const Terms& terms, const float* bias = nullptr) {
  const auto tile = [&]<int R, int C>(size_t r, size_t c) HWY_ATTR {
    product_tile<R, C, kWeights, kAdd>(out.from(r, c), kAdd ? addend.from(r, c) : addend, a.from(r),
                                       b.from(c), terms, bias ? bias + c : nullptr);
  };
  size_t r = 0;
  for (; r + kRows <= rows; r += kRows) {
    size_t c = 0;
    for (; c + kColumns <= columns; c += kColumns) tile.template operator()<kRows, kColumns>(r, c);
    if (c + 2 <= columns) {
      tile.template operator()<kRows, 2>(r, c);
      c += 2;
    }
    for (; c < columns; ++c) tile.template operator()<kRows, 1>(r, c);
  }
  const auto rest = [&]<int R>() HWY_ATTR {
    size_t c = 0;
    for (; c + 4 <= columns; c += 4) tile.template operator()<R, 4>(r, c);
    for (; c < columns; ++c) tile.template operator()<R, 1>(r, c);
    r += R;
  };
  while (r + 2 <= rows) rest.template operator()<2>();
  if (r < rows) rest.template operator()<1>();
}

// The product, with what is there as the addend.
template <bool kWeights, bool kAdd>
void product(Target out, Factor a, Factor b, size_t rows, size_t columns, const Terms& terms,
             const float* bias = nullptr) {
  product<kWeights, kAdd>(out, out, a, b, rows, columns, terms, bias);
}

// Single numbers, whose rows are `row` floats apart.
struct Sums {
  float* start;
  size_t row;
  float* at(size_t r, size_t c) const { return start + r * row + c; }
  Sums from(size_t r, size_t c) const { return {at(r, c), row}; }
};

// out[r][c] += sum over images and the terms k of a[r][k] * b[c][k].
template <int R, int C>
HWY_INLINE void summed_tile(Sums out, Factor a, Factor b, const Terms& terms) {
  V sums[R * C];
  multiply<R, C, false, false>(sums, a, b, terms);
  VITRINE_UNROLL_TILE
  for (int r = 0; r < R; ++r) {
    V* row = sums + r * C;
    if constexpr (C == 4) {
      add_sums(row[0], row[1], row[2], row[3], out.at(r, 0));
    } else {
      VITRINE_UNROLL_TILE
      for (int c = 0; c < C; ++c) add_sum(row[c], out.at(r, c));
    }
  }
}

inline void summed_product(Sums out, Factor a, Factor b, size_t rows, size_t columns,
                           const Terms& terms) {
  // Columns at once, so that those of b stay in the nearest cache for all rows.
  constexpr size_t kNear = 8;
  for (size_t first = 0; first < columns; first += kNear) {
    const size_t end = std::min(columns, first + kNear);
    size_t r = 0;
    const auto tiles = [&]<int R>() HWY_ATTR {
      size_t c = first;
      for (; c + 4 <= end; c += 4) summed_tile<R, 4>(out.from(r, c), a.from(r), b.from(c), terms);
      for (; c < end; ++c) summed_tile<R, 1>(out.from(r, c), a.from(r), b.from(c), terms);
      r += R;
    };
    while (r + kRows <= rows) tiles.template operator()<kRows>();
    while (r + 2 <= rows) tiles.template operator()<2>();
    if (r < rows) tiles.template operator()<1>();
  }
}

// gradient[c] += sum over images and the n vectors of column c; rows are `width` vectors apart.
inline void summed_columns(float* gradient, const float* x, size_t width, size_t columns,
                           size_t n) {
  size_t c = 0;
  for (; c + 4 <= columns; c += 4) {
    V s0 = zero(), s1 = zero(), s2 = zero(), s3 = zero();
    for (size_t t = 0; t < n; ++t) {
      const float* p = x + (t * width + c) * N;
      s0 = hn::Add(s0, load(p));
      s1 = hn::Add(s1, load(p + N));
      s2 = hn::Add(s2, load(p + 2 * N));
      s3 = hn::Add(s3, load(p + 3 * N));
    }
    add_sums(s0, s1, s2, s3, gradient + c);
  }
  for (; c < columns; ++c) {
    V sum = zero();
    for (size_t t = 0; t < n; ++t) sum = hn::Add(sum, load(x + (t * width + c) * N));
    add_sum(sum, gradient + c);
  }
}

}  // namespace vitrine::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif

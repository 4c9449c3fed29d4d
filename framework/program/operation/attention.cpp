// softmax(q k^T / sqrt(width)) v for each head, a part of the columns [width]: q [n, columns], k
// and v [tokens, columns]. While training, each probability may be dropped.
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/attention.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "framework/program/call-inl.h"
#include "framework/program/draws-inl.h"
#include "framework/simd/attention-inl.h"
#include "framework/simd/gemm.h"
#include "framework/simd/softmax-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::attention_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

Matrix columns_from(const Matrix& m, size_t column) {
  return {m.at ? m.at + column * N : nullptr, m.row};
}

Head head_of(const Call& call, size_t index) {
  const auto &q = call.inputs[0], &k = call.inputs[1], &v = call.inputs[2];
  const size_t width = q.shape.columns / call.count(0), column = index * width;
  const size_t n = q.shape.tokens;
  // Without a backward pass they are of no use, and lie in the scratch.
  const size_t scratch = attention_scratch(width, k.shape.tokens);
  float* statistics = call.saved ? call.saved + 2 * index * n * N : call.scratch + scratch * N;
  return {columns_from(q.value, column),
          columns_from(k.value, column),
          columns_from(v.value, column),
          columns_from(call.output.value, column),
          statistics,
          statistics + n * N,
          width,
          k.shape.tokens,
          1 / std::sqrt(static_cast<float>(width))};
}

// Of one head; a probability's number counts all queries, also those that are left out.
struct Drawn {
  static constexpr bool kDraws = true;
  const LaneDraws& draws;
  size_t head, tokens, first;
  float probability;

  HWY_INLINE V factor(size_t query, size_t token) const {
    const V u = draws.uniform((head * tokens + first + query) * tokens + token);
    return hn::IfThenElseZero(hn::Ge(u, all(probability)), all(1 / (1 - probability)));
  }
};

Drawn drawn_of(const Call& call, const LaneDraws& draws, size_t head) {
  return {draws, head, call.inputs[1].shape.tokens, call.count(3),
          static_cast<float>(call.numbers[1])};
}

void forward_of_images(const Call& call) {
  const size_t heads = call.count(0), n = call.inputs[0].shape.tokens;
  if (call.numbers[1] == 0) {
    for (size_t h = 0; h < heads; ++h) attend(head_of(call, h), n, call.scratch);
    return;
  }
  const LaneDraws draws(call.group, call.count(2));
  for (size_t h = 0; h < heads; ++h)
    attend(head_of(call, h), n, call.scratch, drawn_of(call, draws, h));
}

void zero_out(const Call::Operand& operand) {
  for (size_t t = 0; t < operand.shape.tokens; ++t)
    std::memset(row_of(operand.gradient, t), 0, operand.shape.columns * N * sizeof(float));
}

// A gradient that is to be written where `product` adds, or the other way round, takes a way round.
void backward_of_images(const Call& call) {
  const auto &q = call.inputs[0], &k = call.inputs[1], &v = call.inputs[2];
  const size_t heads = call.count(0), n = q.shape.tokens, width = q.shape.columns / heads;
  const size_t tokens = k.shape.tokens;
  float* spare = call.scratch + attention_scratch(width, tokens) * N;
  const auto place = [&](const Call::Operand& operand, bool apart) {
    Matrix out = operand.gradient;
    if (!out.at || apart) {
      out = {spare, operand.shape.columns * N};
      spare += operand.shape.size() * N;
    }
    return out;
  };
  // q's is written, those of k and v are added to; where q is one of them, its own comes last.
  const float* to = q.gradient.at;
  const bool is_shared = to && (to == k.gradient.at || to == v.gradient.at);
  if (is_shared && !q.adds) zero_out(q);
  const bool is_apart = q.adds || is_shared;
  const Matrix dq = place(q, is_apart), dk = place(k, false), dv = place(v, false);
  for (const auto& [operand, place_of] : {std::pair{&k, dk}, std::pair{&v, dv}}) {
    if (operand->adds && operand->gradient.at) continue;
    Call::Operand written = *operand;
    written.gradient = place_of;
    zero_out(written);
  }
  const HeadGradients all{call.output.gradient, dq, dk, dv};
  const auto of_head = [&](size_t h) -> HeadGradients {
    const size_t column = h * width;
    return {columns_from(all.o, column), columns_from(all.q, column), columns_from(all.k, column),
            columns_from(all.v, column)};
  };
  if (call.numbers[1] == 0) {
    for (size_t h = 0; h < heads; ++h)
      attend_backward(head_of(call, h), of_head(h), n, call.scratch);
  } else {
    const LaneDraws draws(call.group, call.count(2));
    for (size_t h = 0; h < heads; ++h)
      attend_backward(head_of(call, h), of_head(h), n, call.scratch, drawn_of(call, draws, h));
  }
  if (!q.gradient.at || !is_apart) return;
  for (size_t t = 0; t < n; ++t) {
    for (size_t c = 0; c < q.shape.columns; ++c)
      put(load(row_of(dq, t) + c * N), true, row_of(q.gradient, t) + c * N);
  }
}

// With rows of numbers: queries at once, so that their probabilities stay near the core.
constexpr size_t kNearFloats = size_t{48} << 10;
size_t queries_at_once(size_t n, size_t tokens) {
  return std::clamp<size_t>(kNearFloats / tokens, 1, n);
}

size_t Scratch(const Applied& a) {
  const size_t width = a.inputs[0].columns / a.count(0);
  // And places for what is not wanted, or statistics that are not kept.
  const size_t of_images = attention_scratch(width, a.inputs[1].tokens) + 2 * a.inputs[0].tokens +
                           a.inputs[0].size() + a.inputs[1].size() + a.inputs[2].size();
  const size_t n = a.inputs[0].tokens, tokens = a.inputs[1].tokens;
  return std::max(of_images, 2 * queries_at_once(n, tokens) * tokens);
}

// --- with rows of numbers: products of matrices for each image and head

// One head of one image: q, its gradient and what else has a row a query begin at `query`.
struct RowHead {
  simd::GemmFactor q, k, v;
  float *o, *statistics;  // of each query its maximum and the inverse of its sum
  size_t o_row;

  simd::GemmFactor queries_from(size_t query) const { return {q.at + query * q.row, q.row}; }
};
RowHead row_head(const Call& call, size_t image, size_t head) {
  const auto &q = call.inputs[0], &k = call.inputs[1], &v = call.inputs[2];
  const size_t column = head * (q.shape.columns / call.count(0)), n = q.shape.tokens;
  float* statistics = call.saved ? call.saved + 2 * n * (image * call.count(0) + head) : nullptr;
  return {{row_of(q.value, image, 0) + column, q.value.row},
          {row_of(k.value, image, 0) + column, k.value.row},
          {row_of(v.value, image, 0) + column, v.value.row},
          row_of(call.output.value, image, 0) + column,
          statistics,
          call.output.value.row};
}

// p times what each probability is multiplied with by dropout.
void drop_row(const Call& call, size_t image, size_t head, size_t query, float* p) {
  const float probability = static_cast<float>(call.numbers[1]);
  const ImageDraws draws(call.group, image, call.count(2));
  const size_t tokens = call.inputs[1].shape.tokens;
  const uint64_t first = (head * tokens + call.count(3) + query) * tokens;
  const V kept = all(1 / (1 - probability));
  for_vectors(tokens, [&](size_t i, auto part) HWY_ATTR {
    const V factor = hn::IfThenElseZero(hn::Ge(draws.uniform(first + i), all(probability)), kept);
    part.store(hn::Mul(part.load(p + i), factor), p + i);
  });
}

void forward_of_head(const Call& call, size_t image, size_t h) {
  const size_t n = call.inputs[0].shape.tokens, tokens = call.inputs[1].shape.tokens;
  const size_t width = call.inputs[0].shape.columns / call.count(0);
  const size_t most = queries_at_once(n, tokens);
  const float scale = 1 / std::sqrt(static_cast<float>(width));
  const RowHead head = row_head(call, image, h);
  for (size_t first = 0; first < n; first += most) {
    const size_t count = std::min(most, n - first);
    float* p = call.scratch;
    simd::gemm(count, tokens, width, head.queries_from(first), {head.k.at, head.k.row, true}, p,
               tokens, false);
    for (size_t t = first; t < first + count; ++t, p += tokens) {
      const float maximum = maximum_of_row(p, tokens);
      const float inverse = 1 / exp_of_row(p, tokens, scale, maximum, p);
      if (head.statistics) {
        head.statistics[2 * t] = maximum;
        head.statistics[2 * t + 1] = inverse;
      }
      for_vectors(tokens, [&](size_t i, auto part) HWY_ATTR {
        part.store(hn::Mul(part.load(p + i), all(inverse)), p + i);
      });
      if (call.numbers[1] > 0) drop_row(call, image, h, t, p);
    }
    simd::gemm(count, width, tokens, {call.scratch, tokens}, head.v, head.o + first * head.o_row,
               head.o_row, false);
  }
}

// What a query's probabilities and the gradients by them become: again what they were, and the
// gradients by the scores.
void backward_of_query(const Call& call, size_t image, size_t h, size_t query, const RowHead& head,
                       const float* dout, float* p, float* ds) {
  const size_t tokens = call.inputs[1].shape.tokens;
  const size_t width = call.inputs[0].shape.columns / call.count(0);
  const float scale = 1 / std::sqrt(static_cast<float>(width));
  const V maximum = all(head.statistics[2 * query]);
  const V inverse = all(head.statistics[2 * query + 1]);
  const float* o = head.o + query * head.o_row;
  V dot = zero();
  for_vectors(width, [&](size_t i, auto part) HWY_ATTR {
    dot = hn::MulAdd(part.load(o + i), part.load(dout + i), dot);
  });
  const V mean = all(sum_of(dot)), factor = all(scale * kLog2OfE);
  // Where probabilities are dropped, so are their gradients.
  const bool drops = call.numbers[1] > 0;
  if (drops) drop_row(call, image, h, query, ds);
  for_vectors(tokens, [&](size_t i, auto part) HWY_ATTR {
    const V x = hn::Mul(hn::Sub(part.load(p + i), maximum), factor);
    const V probability = hn::Mul(exp2(x), inverse);
    part.store(probability, p + i);
    const V slope = hn::Mul(hn::Sub(part.load(ds + i), mean), all(scale));
    part.store(hn::Mul(probability, slope), ds + i);
  });
  if (drops) drop_row(call, image, h, query, p);
}

void backward_of_head(const Call& call, size_t image, size_t h) {
  const auto &q = call.inputs[0], &k = call.inputs[1], &v = call.inputs[2];
  const size_t n = q.shape.tokens, tokens = k.shape.tokens;
  const size_t width = q.shape.columns / call.count(0), most = queries_at_once(n, tokens);
  const RowHead head = row_head(call, image, h);
  const Matrix& gradient = call.output.gradient;
  // Where k or v is q too, those of all queries are added before the last of q's own come.
  const float* to = q.gradient.at;
  const bool is_shared = to && (to == k.gradient.at || to == v.gradient.at);
  for (size_t t = 0; is_shared && !q.adds && t < n; ++t)
    std::memset(row_of(q.gradient, image, t) + h * width, 0, width * sizeof(float));
  for (size_t first = 0; first < n; first += most) {
    const size_t count = std::min(most, n - first);
    float *p = call.scratch, *ds = p + most * tokens;
    const float* dout = row_of(gradient, image, first) + h * width;
    const simd::GemmFactor d{dout, gradient.row}, queries = head.queries_from(first);
    simd::gemm(count, tokens, width, queries, {head.k.at, head.k.row, true}, p, tokens, false);
    simd::gemm(count, tokens, width, d, {head.v.at, head.v.row, true}, ds, tokens, false);
    for (size_t i = 0; i < count; ++i) {
      backward_of_query(call, image, h, first + i, head, dout + i * gradient.row, p + i * tokens,
                        ds + i * tokens);
    }
    // Of q each query's own; of k and v the sum over all queries.
    const auto add_product = [&](const Call::Operand& operand, size_t row, bool adds, size_t rows,
                                 size_t terms, simd::GemmFactor a, simd::GemmFactor b) {
      if (!operand.gradient.at) return;
      simd::gemm(rows, width, terms, a, b, row_of(operand.gradient, image, row) + h * width,
                 operand.gradient.row, operand.adds || adds);
    };
    add_product(q, first, is_shared, count, tokens, {ds, tokens}, head.k);
    add_product(k, 0, first > 0, tokens, count, {ds, tokens, true}, queries);
    add_product(v, 0, first > 0, tokens, count, {p, tokens, true}, d);
  }
}

// Calls `work` with each image and head.
template <class Work>
void for_heads(const Call& call, const Work& work) {
  for (size_t image = 0; image < call.images; ++image) {
    for (size_t h = 0; h < call.count(0); ++h) work(call, image, h);
  }
}

void Forward(const Call& call) {
  call.has_columns() ? for_heads(call, forward_of_head) : forward_of_images(call);
}
void Backward(const Call& call) {
  call.has_columns() ? for_heads(call, backward_of_head) : backward_of_images(call);
}

}  // namespace
}  // namespace vitrine::attention_operation::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::attention_operation {
namespace {

HWY_EXPORT(Forward);
HWY_EXPORT(Backward);
HWY_EXPORT(Scratch);

class Attention : public Operation {
 public:
  Operands operands() const override { return {3}; }
  std::vector<const char*> numbers() const override {
    return {"heads", "dropout", "site", "first_query"};
  }
  Shape shape(const Applied& a) const override {
    const Shape &q = a.inputs[0], &k = a.inputs[1], &v = a.inputs[2];
    if (k != v || k.columns != q.columns || a.count(0) == 0 || q.columns % a.count(0) != 0) {
      refuse_operands("attention",
                      fmt::format("q of {}, k of {} and v of {} with {} heads", to_string(q),
                                  to_string(k), to_string(v), a.count(0)));
    }
    return q;
  }
  bool is_closed(const Applied& a) const override { return a.numbers[1] == 0; }  // no dropout
  double flops(const Applied& a) const override {
    return 4.0 * static_cast<double>(a.output.size()) * static_cast<double>(a.inputs[1].tokens);
  }
  std::vector<TokenRange> reads(const Applied& a, TokenRange tokens) const override {
    const TokenRange all{0, a.inputs[1].tokens};
    return {tokens, all, all};
  }
  std::vector<double> narrowed(const Applied& a, TokenRange tokens) const override {
    return {a.numbers[0], a.numbers[1], a.numbers[2],
            a.numbers[3] + static_cast<double>(tokens.begin)};
  }
  Needs needs(const Applied&) const override { return {7, true}; }
  size_t saved(const Applied& a) const override { return 2 * a.count(0) * a.inputs[0].tokens; }
  size_t scratch(const Applied& a) const override { return HWY_DYNAMIC_DISPATCH(Scratch)(a); }
  bool has_columns_layout() const override { return true; }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
  void backward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Backward)(call); }
};

VITRINE_OPERATION(attention, Attention)

}  // namespace
}  // namespace vitrine::attention_operation
#endif

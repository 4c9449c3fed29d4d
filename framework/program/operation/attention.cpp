// softmax(q k^T / sqrt(width)) v for each head, a part of the columns [width]: q [n, columns], k and v
// [tokens, columns]. While training, each probability may be dropped.
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/attention.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <utility>

#include "framework/simd/attention-inl.h"
#include "framework/simd/draws-inl.h"
#include "framework/simd/matrix-inl.h"

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

void Forward(const Call& call) {
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
void Backward(const Call& call) {
  const auto &q = call.inputs[0], &k = call.inputs[1], &v = call.inputs[2];
  const size_t heads = call.count(0), n = q.shape.tokens, width = q.shape.columns / heads;
  const size_t tokens = k.shape.tokens;
  float* spare = call.scratch + attention_scratch(width, tokens) * N;
  const auto place = [&](const Call::Operand& operand, bool apart) {
    Matrix out = operand.gradient;
    if (!out.at || apart) {
      out = {spare, operand.shape.columns};
      spare += operand.shape.size() * N;
    }
    return out;
  };
  // q's is written, those of k and v are added to.
  const Matrix dq = place(q, q.adds), dk = place(k, false), dv = place(v, false);
  for (const auto& [operand, to] : {std::pair{&k, dk}, std::pair{&v, dv}}) {
    if (operand->adds && operand->gradient.at) continue;
    Call::Operand written = *operand;
    written.gradient = to;
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
  if (!q.gradient.at || !q.adds) return;
  for (size_t t = 0; t < n; ++t) {
    for (size_t c = 0; c < q.shape.columns; ++c)
      put(load(row_of(dq, t) + c * N), true, row_of(q.gradient, t) + c * N);
  }
}

size_t Scratch(const Applied& a) {
  const size_t width = a.inputs[0].columns / a.count(0);
  // And places for what is not wanted, or statistics that are not kept.
  return attention_scratch(width, a.inputs[1].tokens) + 2 * a.inputs[0].tokens +
         a.inputs[0].size() + a.inputs[1].size() + a.inputs[2].size();
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
  std::vector<const char*> numbers() const override {
    return {"heads", "dropout", "site", "first_query"};
  }
  Shape shape(const Applied& a) const override {
    const Shape &q = a.inputs[0], &k = a.inputs[1], &v = a.inputs[2];
    if (k != v || k.columns != q.columns || q.columns % a.count(0) != 0) {
      refuse_operands("attention",
                      fmt::format("q of {}, k of {} and v of {} with {} heads", to_string(q),
                                  to_string(k), to_string(v), a.count(0)));
    }
    return q;
  }
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
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
  void backward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Backward)(call); }
};

VITRINE_OPERATION(attention, Attention)

}  // namespace
}  // namespace vitrine::attention_operation
#endif

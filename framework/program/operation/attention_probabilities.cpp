// softmax(q k^T / sqrt(width)) of each head: q [n, columns], k [tokens, columns] -> [heads * n,
// tokens]. Only to be looked at: it has no gradient.
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/attention_probabilities.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include <fmt/format.h>

#include <cmath>

#include "framework/program/call-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::attention_probabilities_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

void Forward(const Call& call) {
  const auto &q = call.inputs[0], &k = call.inputs[1];
  const size_t heads = call.count(0), n = q.shape.tokens, tokens = k.shape.tokens;
  const size_t width = q.shape.columns / heads;
  const V factor = all(1.44269504f / std::sqrt(static_cast<float>(width)));
  for (size_t h = 0; h < heads; ++h) {
    const Matrix out = {row_of(call.output.value, h * n), call.output.value.row};
    const Matrix of_q = {q.value.at + h * width * N, q.value.row};
    const Matrix of_k = {k.value.at + h * width * N, k.value.row};
    product<false, false>(target_of(out), by_rows(of_q), by_rows(of_k), n, tokens, width);
    for (size_t t = 0; t < n; ++t) {
      float* p = row_of(out, t);
      V maximum = load(p), sum = zero();
      for (size_t u = 0; u < tokens; ++u) maximum = hn::Max(maximum, load(p + u * N));
      for (size_t u = 0; u < tokens; ++u) {
        const V e = exp2(hn::Mul(hn::Sub(load(p + u * N), maximum), factor));
        sum = hn::Add(sum, e);
        store(e, p + u * N);
      }
      const V inverse = hn::Div(all(1), sum);
      for (size_t u = 0; u < tokens; ++u) store(hn::Mul(load(p + u * N), inverse), p + u * N);
    }
  }
}

}  // namespace
}  // namespace vitrine::attention_probabilities_operation::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::attention_probabilities_operation {
namespace {

HWY_EXPORT(Forward);

class AttentionProbabilities : public Operation {
 public:
  Operands operands() const override { return {2}; }
  std::vector<const char*> numbers() const override { return {"heads"}; }
  Shape shape(const Applied& a) const override {
    const Shape &q = a.inputs[0], &k = a.inputs[1];
    if (k.columns != q.columns || a.count(0) == 0 || q.columns % a.count(0) != 0) {
      refuse_operands(
          "attention_probabilities",
          fmt::format("q of {} and k of {} with {} heads", to_string(q), to_string(k), a.count(0)));
    }
    return {a.count(0) * q.tokens, k.tokens};
  }
  double flops(const Applied& a) const override {
    return 2.0 * static_cast<double>(a.inputs[0].size()) * static_cast<double>(a.inputs[1].tokens);
  }
  std::vector<TokenRange> reads(const Applied& a, TokenRange) const override {
    return {{0, a.inputs[0].tokens}, {0, a.inputs[1].tokens}};
  }
  bool narrows() const override { return false; }
  bool has_gradient() const override { return false; }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
};

VITRINE_OPERATION(attention_probabilities, AttentionProbabilities)

}  // namespace
}  // namespace vitrine::attention_probabilities_operation
#endif

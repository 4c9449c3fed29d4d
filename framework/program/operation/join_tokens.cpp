// The tokens of several one after the other. What is computed for this alone is computed in place.
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/join_tokens.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "framework/program/call-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::join_tokens_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

void Forward(const Call& call) {
  size_t first = 0;
  for (const Call::Operand& input : call.inputs) {
    for_rows(call, input.shape.tokens, [&](size_t image, size_t t, size_t) {
      const float* from = row_of(input.value, image, t);
      float* to = row_of(call.output.value, image, first + t);
      if (from != to) std::memcpy(to, from, input.shape.columns * call.unit * sizeof(float));
    });
    first += input.shape.tokens;
  }
}

}  // namespace
}  // namespace vitrine::join_tokens_operation::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::join_tokens_operation {
namespace {

HWY_EXPORT(Forward);

class JoinTokens : public Operation {
 public:
  Operands operands() const override { return {Operands::kAny}; }
  Shape shape(const Applied& a) const override {
    Shape out{0, a.inputs[0].columns};
    for (const Shape& input : a.inputs) {
      if (input.columns != out.columns) {
        refuse_operands("join_tokens",
                        fmt::format("tokens of {} columns and of {}", out.columns, input.columns));
      }
      out.tokens += input.tokens;
    }
    return out;
  }
  std::vector<TokenRange> reads(const Applied& a, TokenRange tokens) const override {
    std::vector<TokenRange> out;
    size_t first = 0;
    for (const Shape& input : a.inputs) {
      const size_t begin = std::max(tokens.begin, first);
      const size_t end = std::min(tokens.end, first + input.tokens);
      out.push_back(begin < end ? TokenRange{begin - first, end - first} : TokenRange());
      first += input.tokens;
    }
    return out;
  }
  bool is_whole() const override { return true; }
  std::vector<Offset> offsets(const Applied& a) const override {
    std::vector<Offset> out;
    size_t first = 0;
    for (const Shape& input : a.inputs) {
      out.push_back({first, 0});
      first += input.tokens;
    }
    return out;
  }
  bool passes(const Applied&, size_t) const override { return true; }
  bool has_columns_layout() const override { return true; }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
};

VITRINE_OPERATION(join_tokens, JoinTokens)

}  // namespace
}  // namespace vitrine::join_tokens_operation
#endif

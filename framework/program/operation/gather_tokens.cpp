// Tokens by their numbers, which may differ from image to image: x [n, columns], numbers [k, 1] ->
// [k, columns].
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/gather_tokens.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include <fmt/format.h>

#include <cstring>

#include "framework/program/call-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::gather_tokens_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

// Calls `work` with each lane's row of x, and the lane.
template <class Work>
void for_lanes(const Call& call, size_t t, const Matrix& x, const Work& work) {
  HWY_ALIGN float numbers[N];
  store(load(row_of(call.inputs[1].value, t)), numbers);
  for (size_t lane = 0; lane < N; ++lane)
    work(row_of(x, static_cast<size_t>(numbers[lane])) + lane, lane);
}

// Calls `work` with each row of the output in rows of numbers, and the number of x's row.
template <class Work>
void for_gathered(const Call& call, const Matrix& output, const Work& work) {
  for_rows(call, call.output.shape.tokens, [&](size_t image, size_t t, size_t) HWY_ATTR {
    const auto number = static_cast<size_t>(*row_of(call.inputs[1].value, image, t));
    work(row_of(output, image, t), image, number);
  });
}

void forward_of_columns(const Call& call) {
  const Matrix& x = call.inputs[0].value;
  for_gathered(call, call.output.value, [&](float* y, size_t image, size_t number) {
    std::memcpy(y, row_of(x, image, number), call.output.shape.columns * sizeof(float));
  });
}

void backward_of_columns(const Call& call) {
  const auto& x = call.inputs[0];
  for_rows(call, x.adds ? 0 : x.shape.tokens, [&](size_t image, size_t t, size_t) {
    std::memset(row_of(x.gradient, image, t), 0, x.shape.columns * sizeof(float));
  });
  for_gathered(
      call, call.output.gradient, [&](const float* dy, size_t image, size_t number) HWY_ATTR {
        float* dx = row_of(x.gradient, image, number);
        for_vectors(x.shape.columns, [&](size_t i, auto part)
                                         HWY_ATTR { part.put(part.load(dy + i), true, dx + i); });
      });
}

void Forward(const Call& call) {
  if (call.has_columns()) return forward_of_columns(call);
  const size_t n = call.output.shape.columns * N;
  for (size_t t = 0; t < call.output.shape.tokens; ++t) {
    float* y = row_of(call.output.value, t);
    for_lanes(call, t, call.inputs[0].value, [&](const float* x, size_t lane) {
      for (size_t i = 0; i < n; i += N) y[i + lane] = x[i];
    });
  }
}

void Backward(const Call& call) {
  if (call.has_columns()) return backward_of_columns(call);
  const auto& x = call.inputs[0];
  const size_t n = x.shape.columns * N;
  for (size_t t = 0; !x.adds && t < x.shape.tokens; ++t)
    std::memset(row_of(x.gradient, t), 0, n * sizeof(float));
  for (size_t t = 0; t < call.output.shape.tokens; ++t) {
    const float* dy = row_of(call.output.gradient, t);
    for_lanes(call, t, x.gradient, [&](float* dx, size_t lane) {
      for (size_t i = 0; i < n; i += N) dx[i] += dy[i + lane];
    });
  }
}

}  // namespace
}  // namespace vitrine::gather_tokens_operation::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::gather_tokens_operation {
namespace {

HWY_EXPORT(Forward);
HWY_EXPORT(Backward);

class GatherTokens : public Operation {
 public:
  Operands operands() const override { return {2}; }
  Shape shape(const Applied& a) const override {
    if (a.inputs[1].columns != 1) {
      refuse_operands("gather_tokens",
                      fmt::format("numbers of {}, not of one column", to_string(a.inputs[1])));
    }
    return {a.inputs[1].tokens, a.inputs[0].columns};
  }
  bool is_closed(const Applied&) const override { return false; }
  std::vector<TokenRange> reads(const Applied& a, TokenRange tokens) const override {
    return {{0, a.inputs[0].tokens}, tokens};
  }
  Needs needs(const Applied&) const override { return {2, false}; }
  bool has_columns_layout() const override { return true; }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
  void backward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Backward)(call); }
};

VITRINE_OPERATION(gather_tokens, GatherTokens)

}  // namespace
}  // namespace vitrine::gather_tokens_operation
#endif

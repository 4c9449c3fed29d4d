// Sums over all tokens of x [n, columns], each by its shares: [sums, n] -> [sums, columns].
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/weighted_sum.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include <fmt/format.h>

#include "framework/program/call-inl.h"
#include "framework/simd/gemm.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::weighted_sum_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

void forward_of_images(const Call& call) {
  const auto &shares = call.inputs[0], &x = call.inputs[1];
  product<false, false>(target_of(call.output.value), by_rows(shares.value), by_columns(x.value),
                        call.output.shape.tokens, call.output.shape.columns, x.shape.tokens);
}

template <bool kAdd>
void gradients(const Call& call, size_t input) {
  const auto &shares = call.inputs[0], &x = call.inputs[1];
  const Matrix& dout = call.output.gradient;
  if (input == 0) {
    product<false, kAdd>(target_of(shares.gradient), by_rows(dout), by_rows(x.value),
                         shares.shape.tokens, x.shape.tokens, x.shape.columns);
  } else {
    product<false, kAdd>(target_of(x.gradient), by_columns(shares.value), by_columns(dout),
                         x.shape.tokens, x.shape.columns, shares.shape.tokens);
  }
}

void backward_of_images(const Call& call) {
  for (size_t i = 0; i < 2; ++i) {
    if (!call.inputs[i].gradient.at) continue;
    call.inputs[i].adds ? gradients<true>(call, i) : gradients<false>(call, i);
  }
}

void forward_of_columns(const Call& call) {
  const auto &shares = call.inputs[0], &x = call.inputs[1];
  for (size_t image = 0; image < call.images; ++image) {
    simd::gemm(call.output.shape.tokens, call.output.shape.columns, x.shape.tokens,
               {row_of(shares.value, image, 0), shares.value.row},
               {row_of(x.value, image, 0), x.value.row}, row_of(call.output.value, image, 0),
               call.output.value.row, false);
  }
}

void backward_of_columns(const Call& call) {
  const auto &shares = call.inputs[0], &x = call.inputs[1];
  const Matrix& dout = call.output.gradient;
  for (size_t image = 0; image < call.images; ++image) {
    const simd::GemmFactor d{row_of(dout, image, 0), dout.row};
    if (shares.gradient.at) {
      simd::gemm(shares.shape.tokens, x.shape.tokens, x.shape.columns, d,
                 {row_of(x.value, image, 0), x.value.row, true}, row_of(shares.gradient, image, 0),
                 shares.gradient.row, shares.adds);
    }
    if (x.gradient.at) {
      simd::gemm(x.shape.tokens, x.shape.columns, shares.shape.tokens,
                 {row_of(shares.value, image, 0), shares.value.row, true}, d,
                 row_of(x.gradient, image, 0), x.gradient.row, x.adds);
    }
  }
}

void Forward(const Call& call) {
  call.has_columns() ? forward_of_columns(call) : forward_of_images(call);
}
void Backward(const Call& call) {
  call.has_columns() ? backward_of_columns(call) : backward_of_images(call);
}

}  // namespace
}  // namespace vitrine::weighted_sum_operation::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::weighted_sum_operation {
namespace {

HWY_EXPORT(Forward);
HWY_EXPORT(Backward);

class WeightedSum : public Operation {
 public:
  Operands operands() const override { return {2}; }
  Shape shape(const Applied& a) const override {
    if (a.inputs[0].columns != a.inputs[1].tokens) {
      refuse_operands("weighted_sum", fmt::format("shares of {} tokens, but there are {}",
                                                  a.inputs[0].columns, a.inputs[1].tokens));
    }
    return {a.inputs[0].tokens, a.inputs[1].columns};
  }
  double flops(const Applied& a) const override {
    return 2.0 * static_cast<double>(a.output.size() * a.inputs[1].tokens);
  }
  std::vector<TokenRange> reads(const Applied& a, TokenRange tokens) const override {
    return {tokens, {0, a.inputs[1].tokens}};
  }
  Needs needs(const Applied&) const override { return {3, false}; }
  bool has_columns_layout() const override { return true; }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
  void backward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Backward)(call); }
};

VITRINE_OPERATION(weighted_sum, WeightedSum)

}  // namespace
}  // namespace vitrine::weighted_sum_operation
#endif

// out = x weight^T + bias: weight [out, in] (more dimensions count as one), bias [out] or none.
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/linear.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include <fmt/format.h>

#include "framework/simd/matrix-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::linear_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

void Forward(const Call& call) {
  const auto& x = call.inputs[0];
  const Target out = target_of(call.output.value);
  const Factor weight = {call.parameters[0].values, x.shape.columns, 1};
  const float* bias = call.parameters[1].values;
  const Shape& shape = call.output.shape;
  if (call.addend.at) {
    product<true, true>(out, target_of(call.addend), by_rows(x.value), weight, shape.tokens,
                        shape.columns, x.shape.columns, bias);
  } else {
    product<true, false>(out, by_rows(x.value), weight, shape.tokens, shape.columns,
                         x.shape.columns, bias);
  }
}

void Backward(const Call& call) {
  const auto& x = call.inputs[0];
  const Matrix& dout = call.output.gradient;
  const size_t out = call.output.shape.columns, in = x.shape.columns;
  const size_t tokens = call.output.shape.tokens;
  if (float* gradient = call.parameters[0].gradient)
    summed_product(gradient, by_columns(dout), by_columns(x.value), out, in, tokens);
  if (float* gradient = call.parameters[1].gradient)
    summed_columns(gradient, dout.at, dout.row, out, tokens);
  if (!x.gradient.at) return;
  const Factor weight = {call.parameters[0].values, 1, in};
  if (x.adds) {
    product<true, true>(target_of(x.gradient), by_rows(dout), weight, tokens, in, out);
  } else {
    product<true, false>(target_of(x.gradient), by_rows(dout), weight, tokens, in, out);
  }
}

}  // namespace
}  // namespace vitrine::linear_operation::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::linear_operation {
namespace {

HWY_EXPORT(Forward);
HWY_EXPORT(Backward);

class Linear : public Operation {
 public:
  Shape shape(const Applied& a) const override {
    const size_t in = a.inputs[0].columns, out = a.parameters[0].at(0);
    if (a.parameter_size(0) != in * out) {
      refuse_operands("linear", fmt::format("x has {} columns, the weight [{}, {}]", in, out,
                                            a.parameter_size(0) / out));
    }
    if (!a.parameters[1].empty() && a.parameter_size(1) != out) {
      refuse_operands("linear", fmt::format("a bias of {} for {} columns", a.parameter_size(1), out));
    }
    return {a.inputs[0].tokens, out};
  }
  double flops(const Applied& a) const override {
    return 2.0 * static_cast<double>(a.output.size()) * static_cast<double>(a.inputs[0].columns);
  }
  bool has_columns_apart() const override { return true; }
  bool adds() const override { return true; }
  Needs needs(const Applied&) const override { return {1, false}; }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
  void backward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Backward)(call); }
};

VITRINE_OPERATION(linear, Linear)

}  // namespace
}  // namespace vitrine::linear_operation
#endif

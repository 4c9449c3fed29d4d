// Columns in groups, each with a linear map of its own: for G groups the parameters are G weights
// [out / G, in / G], then G biases [out / G].
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/grouped_linear.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include <fmt/format.h>

#include "framework/simd/matrix-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::grouped_linear_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

Matrix columns_from(const Matrix& m, size_t column) {
  return {m.at ? m.at + column * N : nullptr, m.row};
}

void Forward(const Call& call) {
  const auto& x = call.inputs[0];
  const size_t groups = call.parameters.size() / 2;
  const size_t in = x.shape.columns / groups, out = call.output.shape.columns / groups;
  for (size_t g = 0; g < groups; ++g) {
    product<true, false>(target_of(columns_from(call.output.value, g * out)),
                         by_rows(columns_from(x.value, g * in)), {call.parameters[g].values, in, 1},
                         call.output.shape.tokens, out, in, call.parameters[groups + g].values);
  }
}

void Backward(const Call& call) {
  const auto& x = call.inputs[0];
  const size_t groups = call.parameters.size() / 2, tokens = call.output.shape.tokens;
  const size_t in = x.shape.columns / groups, out = call.output.shape.columns / groups;
  for (size_t g = 0; g < groups; ++g) {
    const Matrix dout = columns_from(call.output.gradient, g * out);
    const Matrix from = columns_from(x.value, g * in), dx = columns_from(x.gradient, g * in);
    if (float* gradient = call.parameters[g].gradient)
      summed_product(gradient, by_columns(dout), by_columns(from), out, in, tokens);
    if (float* gradient = call.parameters[groups + g].gradient)
      summed_columns(gradient, dout.at, dout.row / N, out, tokens);
    if (!dx.at) continue;
    const Factor weight = {call.parameters[g].values, 1, in};
    if (x.adds) {
      product<true, true>(target_of(dx), by_rows(dout), weight, tokens, in, out);
    } else {
      product<true, false>(target_of(dx), by_rows(dout), weight, tokens, in, out);
    }
  }
}

}  // namespace
}  // namespace vitrine::grouped_linear_operation::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::grouped_linear_operation {
namespace {

HWY_EXPORT(Forward);
HWY_EXPORT(Backward);

class GroupedLinear : public Operation {
 public:
  Shape shape(const Applied& a) const override {
    const size_t groups = a.parameters.size() / 2, in = a.inputs[0].columns;
    const size_t out = a.parameters[0].at(0);
    if (in % groups != 0 || a.parameter_size(0) != out * (in / groups)) {
      refuse_operands("grouped_linear", fmt::format("x has {} columns, each of {} groups {}", in,
                                                    groups, a.parameter_size(0) / out));
    }
    return {a.inputs[0].tokens, groups * out};
  }
  double flops(const Applied& a) const override {
    const size_t groups = a.parameters.size() / 2;
    return 2.0 * static_cast<double>(a.output.size() * (a.inputs[0].columns / groups));
  }
  Needs needs(const Applied&) const override { return {1, false}; }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
  void backward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Backward)(call); }
};

VITRINE_OPERATION(grouped_linear, GroupedLinear)

}  // namespace
}  // namespace vitrine::grouped_linear_operation
#endif

// out = x weight^T + bias: weight [out, in] (more dimensions count as one), bias [out] or none.
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/linear.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include <fmt/format.h>

#include "framework/program/call-inl.h"
#include "framework/simd/gemm.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::linear_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

void forward_of_images(const Call& call) {
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

void backward_of_images(const Call& call) {
  const auto& x = call.inputs[0];
  const Matrix& dout = call.output.gradient;
  const size_t out = call.output.shape.columns, in = x.shape.columns;
  const size_t tokens = call.output.shape.tokens;
  if (float* gradient = call.parameters[0].gradient)
    summed_product({gradient, in}, by_columns(dout), by_columns(x.value), out, in, tokens);
  if (float* gradient = call.parameters[1].gradient)
    summed_columns(gradient, dout.at, dout.row / N, out, tokens);
  if (!x.gradient.at) return;
  const Factor weight = {call.parameters[0].values, 1, in};
  if (x.adds) {
    product<true, true>(target_of(x.gradient), by_rows(dout), weight, tokens, in, out);
  } else {
    product<true, false>(target_of(x.gradient), by_rows(dout), weight, tokens, in, out);
  }
}

void forward_of_columns(const Call& call) {
  const auto& x = call.inputs[0];
  const Shape& shape = call.output.shape;
  const float* bias = call.parameters[1].values;
  const Matrix& addend = call.addend;
  // Sums begin with what is added.
  for_rows(call, bias || addend.at ? shape.tokens : 0,
           [&](size_t image, size_t t, size_t) HWY_ATTR {
             float* to = row_of(call.output.value, image, t);
             const float* from = addend.at ? row_of(addend, image, t) : nullptr;
             for_vectors(shape.columns, [&](size_t i, auto part) HWY_ATTR {
               V sum = from ? part.load(from + i) : zero();
               if (bias) sum = hn::Add(sum, part.load(bias + i));
               part.store(sum, to + i);
             });
           });
  for_row_blocks(
      call, shape.tokens,
      [&](size_t image, size_t rows) {
        simd::gemm(rows, shape.columns, x.shape.columns, {row_of(x.value, image, 0), x.value.row},
                   {call.parameters[0].values, x.shape.columns, true},
                   row_of(call.output.value, image, 0), call.output.value.row, bias || addend.at);
      },
      x.value, call.output.value);
}

void backward_of_columns(const Call& call) {
  const auto& x = call.inputs[0];
  const Matrix& dout = call.output.gradient;
  const size_t out = call.output.shape.columns, in = x.shape.columns;
  const size_t tokens = call.output.shape.tokens;
  if (float* gradient = call.parameters[1].gradient) {
    for_rows(call, tokens, [&](size_t image, size_t t, size_t) HWY_ATTR {
      const float* from = row_of(dout, image, t);
      for_vectors(out, [&](size_t i, auto part)
                           HWY_ATTR { part.put(part.load(from + i), true, gradient + i); });
    });
  }
  if (float* gradient = call.parameters[0].gradient) {
    for_row_blocks(
        call, tokens,
        [&](size_t image, size_t rows) {
          simd::gemm(out, in, rows, {row_of(dout, image, 0), dout.row, true},
                     {row_of(x.value, image, 0), x.value.row}, gradient, in, true);
        },
        dout, x.value);
  }
  if (!x.gradient.at) return;
  for_row_blocks(
      call, tokens,
      [&](size_t image, size_t rows) {
        simd::gemm(rows, in, out, {row_of(dout, image, 0), dout.row},
                   {call.parameters[0].values, in}, row_of(x.gradient, image, 0), x.gradient.row,
                   x.adds);
      },
      dout, x.gradient);
}

void Forward(const Call& call) {
  call.has_columns() ? forward_of_columns(call) : forward_of_images(call);
}
void Backward(const Call& call) {
  call.has_columns() ? backward_of_columns(call) : backward_of_images(call);
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
  Operands operands() const override { return {1, 2, 1}; }
  Shape shape(const Applied& a) const override {
    const size_t in = a.inputs[0].columns, out = a.parameters[0][0];
    if (a.parameter_size(0) != in * out) {
      refuse_operands("linear", fmt::format("x has {} columns, the weight [{}, {}]", in, out,
                                            a.parameter_size(0) / out));
    }
    refuse_bias("linear", a, 1, out);
    return {a.inputs[0].tokens, out};
  }
  double flops(const Applied& a) const override {
    return 2.0 * static_cast<double>(a.output.size()) * static_cast<double>(a.inputs[0].columns);
  }
  bool take_columns(const Applied&, size_t first, size_t count,
                    std::vector<ParameterUse>& parameters) const override {
    for (ParameterUse& use : parameters) {
      if (use.index != ParameterUse::kNone) use = {use.index, use.first + first, count};
    }
    return true;
  }
  bool adds() const override { return true; }
  Needs needs(const Applied&) const override { return {1, false}; }
  bool has_columns_layout() const override { return true; }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
  void backward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Backward)(call); }
};

VITRINE_OPERATION(linear, Linear)

}  // namespace
}  // namespace vitrine::linear_operation
#endif

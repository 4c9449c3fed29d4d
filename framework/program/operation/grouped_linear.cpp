// Columns in groups, each with linear maps of its own: for G groups and M maps the parameters are
// of each map G weights [out, in / G], then of each map G biases [out]. The output has the columns
// of the first map's groups, then those of the second's, ...
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/grouped_linear.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include <fmt/format.h>

#include "framework/program/call-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::grouped_linear_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

Matrix columns_from(const Matrix& m, size_t column) {
  return {m.at ? m.at + column * N : nullptr, m.row};
}

// Calls `work` with each map of a group: its weight and bias among the parameters, and where its
// columns begin in x and in the output.
template <class Work>
void for_maps(const Call& call, const Work& work) {
  const size_t groups = call.count(0), count = call.parameters.size() / 2;
  const size_t in = call.inputs[0].shape.columns / groups;
  const size_t out = call.output.shape.columns / count;
  for (size_t i = 0; i < count; ++i) work(i, count + i, i % groups * in, i * out, in, out);
}

void Forward(const Call& call) {
  const auto& x = call.inputs[0];
  for_maps(call, [&](size_t weight, size_t bias, size_t from, size_t to, size_t in, size_t out) {
    product<true, false>(target_of(columns_from(call.output.value, to)),
                         by_rows(columns_from(x.value, from)),
                         {call.parameters[weight].values, in, 1}, call.output.shape.tokens, out, in,
                         call.parameters[bias].values);
  });
}

void Backward(const Call& call) {
  const auto& x = call.inputs[0];
  const size_t tokens = call.output.shape.tokens, groups = call.count(0);
  for_maps(call, [&](size_t weight, size_t bias, size_t from, size_t to, size_t in, size_t out) {
    const Matrix dout = columns_from(call.output.gradient, to);
    const Matrix dx = columns_from(x.gradient, from);
    if (float* gradient = call.parameters[weight].gradient)
      summed_product({gradient, in}, by_columns(dout), by_columns(columns_from(x.value, from)), out,
                     in, tokens);
    if (float* gradient = call.parameters[bias].gradient)
      summed_columns(gradient, dout.at, dout.row / N, out, tokens);
    if (!dx.at) return;
    const Factor values = {call.parameters[weight].values, 1, in};
    if (x.adds || weight >= groups) {
      product<true, true>(target_of(dx), by_rows(dout), values, tokens, in, out);
    } else {
      product<true, false>(target_of(dx), by_rows(dout), values, tokens, in, out);
    }
  });
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
  // As many weights as biases.
  Operands operands() const override { return {1, Operands::kAny}; }
  std::vector<const char*> numbers() const override { return {"groups"}; }
  Shape shape(const Applied& a) const override {
    const size_t groups = a.count(0), in = a.inputs[0].columns, count = a.parameters.size() / 2;
    const size_t out = a.parameters[0][0];
    if (groups == 0 || in % groups != 0 || count == 0 || count % groups != 0 ||
        a.parameter_size(0) != out * (in / groups)) {
      refuse_operands("grouped_linear",
                      fmt::format("x has {} columns in {} groups, {} weights take {}", in, groups,
                                  count, a.parameter_size(0) / out));
    }
    for (size_t i = 0; i < a.parameters.size(); ++i) {
      const size_t size = i < count ? a.parameter_size(0) : out;
      if (a.parameters.size() % 2 != 0 || a.parameter_size(i) != size)
        refuse_operands("grouped_linear", "weights, or biases, of several sizes");
    }
    return {a.inputs[0].tokens, count * out};
  }
  double flops(const Applied& a) const override {
    return 2.0 * static_cast<double>(a.output.size() * (a.inputs[0].columns / a.count(0)));
  }
  // Whole maps alone.
  bool take_columns(const Applied& a, size_t first, size_t count,
                    std::vector<ParameterUse>& parameters) const override {
    const size_t all = parameters.size() / 2, out = a.output.columns / all;
    const size_t width = a.count(0) * out;
    if (first % width != 0 || count % width != 0) return false;
    std::vector<ParameterUse> taken;
    for (const size_t begin : {size_t{0}, all}) {
      const auto from = parameters.begin() + static_cast<ptrdiff_t>(begin + first / out);
      taken.insert(taken.end(), from, from + static_cast<ptrdiff_t>(count / out));
    }
    parameters = taken;
    return true;
  }
  Needs needs(const Applied&) const override { return {1, false}; }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
  void backward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Backward)(call); }
};

VITRINE_OPERATION(grouped_linear, GroupedLinear)

}  // namespace
}  // namespace vitrine::grouped_linear_operation
#endif

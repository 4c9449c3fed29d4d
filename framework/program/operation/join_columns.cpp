// The columns of several side by side. What is computed for this alone is computed in place.
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/join_columns.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include <fmt/format.h>

#include <cstring>

#include "framework/program/call-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::join_columns_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

void Forward(const Call& call) {
  size_t first = 0;
  for (const Call::Operand& input : call.inputs) {
    for_rows(call, input.shape.tokens, [&](size_t image, size_t t, size_t) {
      const float* from = row_of(input.value, image, t);
      float* to = row_of(call.output.value, image, t) + first * call.unit;
      if (from != to) std::memcpy(to, from, input.shape.columns * call.unit * sizeof(float));
    });
    first += input.shape.columns;
  }
}

}  // namespace
}  // namespace vitrine::join_columns_operation::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::join_columns_operation {
namespace {

HWY_EXPORT(Forward);

class JoinColumns : public Operation {
 public:
  Operands operands() const override { return {Operands::kAny}; }
  Shape shape(const Applied& a) const override {
    Shape out{a.inputs[0].tokens, 0};
    for (const Shape& input : a.inputs) {
      if (input.tokens != out.tokens) {
        refuse_operands("join_columns",
                        fmt::format("columns of {} tokens and of {}", out.tokens, input.tokens));
      }
      out.columns += input.columns;
    }
    return out;
  }
  bool is_whole() const override { return true; }
  std::vector<Offset> offsets(const Applied& a) const override {
    std::vector<Offset> out;
    size_t first = 0;
    for (const Shape& input : a.inputs) {
      out.push_back({0, first});
      first += input.columns;
    }
    return out;
  }
  bool passes(const Applied&, size_t) const override { return true; }
  bool has_columns_layout() const override { return true; }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
};

VITRINE_OPERATION(join_columns, JoinColumns)

}  // namespace
}  // namespace vitrine::join_columns_operation
#endif

// A parameter as a value, the same for every image: rows of a table [tokens, columns] or [columns].
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/table.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include <fmt/format.h>

#include <cstring>

#include "framework/program/call-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::table_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

void Forward(const Call& call) {
  const Shape& shape = call.output.shape;
  for_rows(call, shape.tokens, [&](size_t image, size_t t, size_t) HWY_ATTR {
    const float* from = call.parameters[0].values + (call.count(0) + t) * shape.columns;
    float* to = row_of(call.output.value, image, t);
    if (call.has_columns()) {
      std::memcpy(to, from, shape.columns * sizeof(float));
    } else {
      for (size_t c = 0; c < shape.columns; ++c) store(all(from[c]), to + c * N);
    }
  });
}

void Backward(const Call& call) {
  const Shape& shape = call.output.shape;
  for_rows(call, shape.tokens, [&](size_t image, size_t t, size_t) HWY_ATTR {
    const float* from = row_of(call.output.gradient, image, t);
    float* to = call.parameters[0].gradient + (call.count(0) + t) * shape.columns;
    if (call.has_columns()) {
      for_vectors(shape.columns, [&](size_t i, auto part)
                                     HWY_ATTR { part.put(part.load(from + i), true, to + i); });
    } else {
      summed_columns(to, from, shape.columns, shape.columns, 1);
    }
  });
}

}  // namespace
}  // namespace vitrine::table_operation::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::table_operation {
namespace {

HWY_EXPORT(Forward);
HWY_EXPORT(Backward);

class Table : public Operation {
 public:
  Operands operands() const override { return {0, 1}; }
  std::vector<const char*> numbers() const override { return {"first", "count"}; }
  Shape shape(const Applied& a) const override {
    const size_t columns = a.parameters[0].back(), tokens = a.parameter_size(0) / columns;
    if (a.count(1) == 0 || a.count(0) + a.count(1) > tokens) {
      refuse_operands("table",
                      fmt::format("rows {} from {} on, of {}", a.count(1), a.count(0), tokens));
    }
    return {a.count(1), columns};
  }
  std::vector<double> narrowed(const Applied& a, TokenRange tokens) const override {
    return {a.numbers[0] + static_cast<double>(tokens.begin), static_cast<double>(tokens.size())};
  }
  bool is_cheap() const override { return true; }
  bool has_columns_layout() const override { return true; }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
  void backward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Backward)(call); }
};

VITRINE_OPERATION(table, Table)

}  // namespace
}  // namespace vitrine::table_operation
#endif

#pragma once

#include <algorithm>

#include "framework/program/operation.h"

namespace vitrine {

// The shape of what is done number by number with two operands, of which one may have a single
// token or a single column, which then goes with all of the other's.
inline Shape broadcast_shape(const char* operation, const Applied& applied) {
  const Shape &a = applied.inputs[0], &b = applied.inputs[1];
  const auto fits = [](size_t x, size_t y) { return x == y || x == 1 || y == 1; };
  if (!fits(a.tokens, b.tokens) || !fits(a.columns, b.columns))
    refuse_operands(operation, to_string(a) + " does not go with " + to_string(b));
  return {std::max(a.tokens, b.tokens), std::max(a.columns, b.columns)};
}

}  // namespace vitrine

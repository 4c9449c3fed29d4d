#pragma once

#include "framework/program/operation.h"

namespace vitrine {

// A function of each number for itself. What it saves is its slope at each.
class Elementwise : public Operation {
 public:
  Shape shape(const Applied& applied) const override { return applied.inputs[0]; }
  bool in_place(const Applied&) const override { return true; }
  size_t saved(const Applied& applied) const override { return applied.output.size(); }
  bool has_columns_layout() const override { return true; }
};

}  // namespace vitrine

#pragma once

#include "framework/model/part.h"
#include "framework/registry/registry.h"

namespace vitrine {

// What a gate stands in.
struct GateContext {
  int64_t width = 0;  // columns of what it is given
};

// A part that says how much of each number passes. kKind is what messages, `runner list` and JSON
// Schema call the kind.
class Gate : public Part {  // [n, width] -> the same
 public:
  static constexpr const char* kKind = "gate";
  using Context = GateContext;
};

}  // namespace vitrine

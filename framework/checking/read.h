#pragma once

#include "framework/error.h"
#include "framework/registry/registry.h"

namespace vitrine {

// A component by a mapping with its type. Throws Error(kUsage) where its options are wrong.
template <class Base>
Choice<Base> read(const Node& component) {
  Choice<Base> out;
  Problems problems;
  out.read(component, KindOf<Base>::kKind, problems);
  if (!problems.empty()) throw Error(ExitCode::kUsage, problems.text("command line"));
  return out;
}

}  // namespace vitrine

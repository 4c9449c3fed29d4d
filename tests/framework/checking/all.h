#pragma once

#include <set>
#include <string>

#include "framework/engine/check.h"
#include "framework/registry/registry.h"
#include "tests/catch.h"

namespace vitrine {

// The kinds of what models are made of.
inline bool is_of_models(const std::string& kind) {
  static const std::set<std::string> kinds = {"model",     "embedding", "position", "block",
                                              "attention", "mlp",       "norm",     "pooling",
                                              "head",      "layout",    "plot"};
  return kinds.contains(kind);
}

// The kinds of what sweeps are made of, which no run chooses.
inline bool is_of_sweeps(const std::string& kind) {
  return kind == "searcher" || kind == "launcher";
}

// Tries every registered component of these kinds, with its defaults, as `runner check` does.
inline void check_all(bool of_models) {
  int sound = 0;
  for (const std::string& kind : Registry::instance().kinds()) {
    if (is_of_sweeps(kind) || is_of_models(kind) != of_models) continue;
    for (const std::string& name : Registry::instance().names(kind)) {
      check_component(kind, name, Node::mapping(), [&](const Finding& finding) {
        INFO(kind << " " << name << ": " << finding.what << ": " << finding.words);
        CHECK(finding.kind != Finding::Kind::kFault);
        sound += finding.kind == Finding::Kind::kSound;
      });
    }
  }
  CHECK(sound > 100);
}

}  // namespace vitrine

#pragma once

#include <functional>
#include <string>

#include "framework/config/node.h"

namespace vitrine {

// What came of trying one thing with a component.
struct Finding {
  enum class Kind { kSound, kFault, kNotTried };

  std::string what;  // "stopped and resumed"
  Kind kind = Kind::kSound;
  std::string words;  // a reason or a detail; may be empty

  static Finding sound(std::string words = "") { return {"", Kind::kSound, std::move(words)}; }
  static Finding fault(std::string words) { return {"", Kind::kFault, std::move(words)}; }
  static Finding not_tried(std::string words) { return {"", Kind::kNotTried, std::move(words)}; }
};

// Builds a registered component in small models, trains, stops, resumes, saves and loads it, each
// in a process of its own, and tells whether it keeps what its kind promises. `options`: a mapping
// of its options, as in a config. Throws Error(kUsage) for options that it does not take. This
// process must not have computed anything before.
void check_component(const std::string& kind, const std::string& name, const Node& options,
                     const std::function<void(const Finding&)>& tell);

// Called by the engine's library as it is loaded.
using ComponentCheck = void (*)(const std::string& kind, const std::string& name,
                                const Node& options,
                                const std::function<void(const Finding&)>& tell);
bool provide_check(ComponentCheck check);

}  // namespace vitrine

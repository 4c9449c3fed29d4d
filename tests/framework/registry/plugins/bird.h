#pragma once

#include <string>

namespace vitrine {

// A kind of component for the tests of plug-ins. Its context is what ends a song.
class Bird {
 public:
  static constexpr const char* kKind = "bird";
  struct Context {
    std::string end;
  };
  virtual ~Bird() = default;
  virtual std::string song() const = 0;
};

}  // namespace vitrine

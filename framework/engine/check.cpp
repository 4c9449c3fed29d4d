#include "framework/engine/check.h"

#include "framework/engine/engine.h"

namespace vitrine {
namespace {
ComponentCheck provided_check = nullptr;
}

bool provide_check(ComponentCheck check) {
  provided_check = check;
  return true;
}

void check_component(const std::string& kind, const std::string& name, const Node& options,
                     const std::function<void(const Finding&)>& tell) {
  engine();
  provided_check(kind, name, options, tell);
}

}  // namespace vitrine

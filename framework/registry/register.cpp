#include "framework/registry/register.h"

namespace vitrine {

bool register_component(const char* kind, std::string_view description, std::string_view file,
                        int line, const ComponentFunctions& functions) noexcept {
  try {
    Component component{functions,
                        kind,
                        std::string(file_stem(file)),
                        std::string(description),
                        std::string(file) + ":" + std::to_string(line),
                        ""};
    Registry::instance().add(std::move(component));
  } catch (...) {
    return false;
  }
  return true;
}

}  // namespace vitrine

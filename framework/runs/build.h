#pragma once

#include <string>

namespace vitrine {

// 16 hex digits for the code that runs: equal as long as the framework's libraries and all plug-ins
// that are loaded are the same files. Made from their GNU build ids, so no file is read.
std::string loaded_build();

}  // namespace vitrine

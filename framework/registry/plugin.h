#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace vitrine {

// Loads a shared library whose constructors register components; it stays loaded. Throws
// Error(kPlugin), before any of its code runs, where it is no ELF library, carries no stamp, was
// built against another framework, torch or compiler, or anybody could have written it; where its
// constructors throw, crash or end the process, which is tried in another one; and afterwards where
// it registered nothing, or something that exists.
void load_plugin(const std::filesystem::path& library);

// Who is told, a line each: what is about to be loaded, and what may be wrong with that.
struct LoadingWords {
  std::function<void(const std::string&)> message, warning;
};
void tell_of_loading(LoadingWords words);

// The folder of the library that this function is part of, where the engine lies as well.
std::filesystem::path library_folder();

}  // namespace vitrine

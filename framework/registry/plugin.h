#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace vitrine {

// Loads a shared library whose constructors register components; it stays loaded. Throws
// Error(kPlugin), before any of its code runs, where it is no ELF library, carries no stamp, was
// built against other headers, another torch or compiler, or anybody could have written it; where
// its constructors throw, or they or listing its options crash or end the process, which is tried
// in another one, or where it defines what is Vitrine's; and afterwards where it registered
// nothing, or something that exists.
void load_plugin(const std::filesystem::path& library);

// Who is told, a line each: what is about to be loaded, and what may be wrong with that.
struct LoadingWords {
  std::function<void(const std::string&)> message, warning;
};
void tell_of_loading(LoadingWords words);
void warn_of_plugin(const std::string& words);

// The folder of the library that this function is part of, where the engine lies as well.
std::filesystem::path library_folder();

}  // namespace vitrine

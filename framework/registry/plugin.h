#pragma once

#include <filesystem>

namespace vitrine {

// Loads a shared library whose constructors register components; it stays loaded. Throws
// Error(kPlugin), before any of its code runs, where it is no ELF library, carries no stamp, or was
// built against another framework, torch or compiler; and afterwards where it registered nothing,
// or something that exists.
void load_plugin(const std::filesystem::path& library);

// The folder of the library that this function is part of, where the engine lies as well.
std::filesystem::path library_folder();

}  // namespace vitrine

#pragma once

#include <filesystem>
#include <string>

namespace vitrine {

// A function or an object that a library which is loaded defines although Vitrine's own libraries
// do, in words: the loader would take one of the two for both. What headers define is in all
// libraries and no such thing. Empty where there is none.
std::string definition_of_vitrine(const std::filesystem::path& library);

}  // namespace vitrine

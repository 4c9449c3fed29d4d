#pragma once

#include <filesystem>
#include <string>

namespace vitrine {

// Loads a library in a process of its own, in which its constructors run first: why they would end
// this one (an exception's message, a signal, a call of exit); empty where they do not. What
// dlopen itself refuses is left to whoever loads it next.
std::string failure_of_loading(const std::filesystem::path& library, int mode);

}  // namespace vitrine

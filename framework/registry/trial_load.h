#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace vitrine {

// Loads libraries, the last of which is a plug-in, in a process of its own, in which their
// constructors run, and the options of its components are listed, first: why that would end this
// one (an exception's message, a signal, a call of exit), or what the plug-in defines that is
// Vitrine's; empty where all is well. What dlopen itself refuses is left to whoever loads it next.
std::string failure_of_loading(const std::vector<std::filesystem::path>& libraries, int mode);

}  // namespace vitrine

#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace vitrine {

// A shared library that a plug-in links, from outside the system and outside of Vitrine.
struct LinkedLibrary {
  std::string name;              // as it is asked for: "libhelper.so"
  std::filesystem::path file;    // where the loader found it
  bool is_found_by_name = true;  // by whoever asks for it, wherever it was loaded from before
};

// Those of a plug-in that is loaded, at any depth, each behind those that it links itself. Neither
// what Vitrine links, such as libtorch and all beside it, nor what lies in the system's folders of
// libraries is among them. Empty where the plug-in is not loaded.
std::vector<LinkedLibrary> linked_libraries(const std::filesystem::path& plugin);

// Copies of such libraries that a sweep keeps of a plug-in, in the order in which they are to be
// loaded before it, so that it finds them in the place of the originals; none of other plug-ins.
std::vector<std::filesystem::path> kept_libraries(const std::filesystem::path& plugin);
// The folder in which they lie.
std::filesystem::path folder_of_kept_libraries(const std::filesystem::path& plugin);

}  // namespace vitrine

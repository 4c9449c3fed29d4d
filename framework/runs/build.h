#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace vitrine {

// What one library was compiled from, as a note in it tells (framework/registry/code_note.h).
struct CodeVersion {
  std::string name;     // of the library as it was built, whatever its file is called by now
  std::string sources;  // SHA-256, 64 hex digits; "unknown" where the library has no note
  std::string commit;   // 40 hex digits, "-dirty" behind them where a source is not that of the
                        // commit; "unknown" outside a repository
  std::filesystem::path file = {};  // of a plug-in, as it was loaded
  // What a plug-in links from outside the system and outside of Vitrine, by name: the SHA-256 of
  // each file.
  std::map<std::string, std::string> libraries = {};
};

// The code that runs.
struct LoadedCode {
  // 16 hex digits: equal as long as the framework's libraries, all plug-ins that are loaded and
  // what these link are the same files. Made from GNU build ids, and of the last from the contents.
  std::string build;
  CodeVersion program;               // of the engine, which is built together with the core
  std::vector<CodeVersion> plugins;  // by name
  // libtorch and what it computes with, such as libgomp: the GNU build id of each in hex digits, or
  // the file's length where it has none, by the library's name ("libtorch_cpu.so").
  std::map<std::string, std::string> torch;
};

// The code of the libraries that are loaded now.
LoadedCode loaded_code();

}  // namespace vitrine

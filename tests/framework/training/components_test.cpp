#include <filesystem>
#include <set>

#include "framework/registry/registry.h"
#include "tests/catch.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;
using Names = std::set<std::pair<std::string, std::string>>;  // kind, name

// "datasets" -> "dataset", "loss" -> "loss"
std::string singular(const std::string& folder) {
  const bool plural = folder.ends_with("s") && !folder.ends_with("ss");
  return plural ? folder.substr(0, folder.size() - 1) : folder;
}

Names files() {
  Names out;
  for (const char* room : {"models", "datasets", "experiments"}) {
    for (const auto& entry :
         fs::recursive_directory_iterator(fs::path(VITRINE_SOURCE_DIR) / room)) {
      const fs::path path = fs::relative(entry.path(), VITRINE_SOURCE_DIR);
      const auto depth = std::distance(path.begin(), path.end());
      // Deeper files belong to one component, those with a header to all.
      const bool is_shared = fs::exists(fs::path(entry.path()).replace_extension(".h"));
      if (path.extension() != ".cpp" || depth > 3 || is_shared) continue;
      out.emplace(singular(path.parent_path().filename()), path.stem());
    }
  }
  // What a sweep is made of.
  for (const auto& [folder, kind] : {std::pair{"framework/sweeps/searcher", "searcher"},
                                     std::pair{"framework/sweeps/launcher", "launcher"}}) {
    for (const auto& entry : fs::directory_iterator(fs::path(VITRINE_SOURCE_DIR) / folder)) {
      if (entry.path().extension() == ".cpp") out.emplace(kind, entry.path().stem());
    }
  }
  return out;
}

Names registered() {
  Names out;
  for (const std::string& kind : Registry::instance().kinds()) {
    for (const std::string& name : Registry::instance().names(kind)) out.emplace(kind, name);
  }
  return out;
}

TEST_CASE("the registered components are the files of their rooms, both ways") {
  CHECK(Registry::instance().problems().empty());
  CHECK(files() == registered());
}

TEST_CASE("a component's origin is its file") {
  for (const std::string& kind : Registry::instance().kinds()) {
    for (const std::string& name : Registry::instance().names(kind)) {
      const std::string origin = Registry::instance().find(kind, name)->origin();
      INFO(kind << " " << name << " from " << origin);
      CHECK(origin.find("/" + name + ".cpp:") != origin.npos);
      CHECK(fs::exists(fs::path(VITRINE_SOURCE_DIR) / origin.substr(0, origin.rfind(':'))));
    }
  }
}

}  // namespace
}  // namespace vitrine

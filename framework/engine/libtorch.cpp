#include "framework/engine/libtorch.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <link.h>
#include <stdio.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "framework/error.h"
#include "framework/registry/plugin.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLibrary = "libtorch_cpu.so";
constexpr const char* kNeeded = VITRINE_TORCH_VERSION;

// Where the loader looks for what this library links: it is told where libtorch was.
std::vector<fs::path> folders_of_loader() {
  const fs::path own = library_folder() / "libvitrine_core.so";
  void* handle = dlopen(own.c_str(), RTLD_LAZY | RTLD_NOLOAD);
  Dl_serinfo size{};
  if (!handle || dlinfo(handle, RTLD_DI_SERINFOSIZE, &size) != 0) return {};
  std::vector<std::max_align_t> bytes(size.dls_size / sizeof(std::max_align_t) + 1);
  auto* info = reinterpret_cast<Dl_serinfo*>(bytes.data());
  info->dls_size = size.dls_size;
  info->dls_cnt = size.dls_cnt;
  if (dlinfo(handle, RTLD_DI_SERINFO, info) != 0) return {};
  std::vector<fs::path> out;
  for (unsigned i = 0; i < info->dls_cnt; ++i) {
    const fs::path folder = info->dls_serpath[i].dls_name;
    if (folder.is_absolute()) out.push_back(folder);
  }
  return out;
}

// What the user says comes before where this was built with.
std::vector<fs::path> folders_of_user() {
  const char* given = getenv("LD_LIBRARY_PATH");
  std::vector<fs::path> out;
  std::istringstream text(given ? given : "");
  for (std::string folder; std::getline(text, folder, ':');) {
    if (fs::path(folder).is_absolute()) out.emplace_back(folder);
  }
  return out;
}

// By -I nothing is imported from the current folder, where anyone may have left a torch.py; what
// the user installed or names absolutely in PYTHONPATH is.
constexpr const char* kAskPython = R"(python3 -I -c '
import importlib.util, os, site, sys
sys.path += filter(os.path.isabs, os.environ.get("PYTHONPATH", "").split(os.pathsep))
sys.path.append(site.getusersitepackages())
print(importlib.util.find_spec("torch").submodule_search_locations[0])' 2>/dev/null)";

// Of the PyTorch that python3 would import; empty where there is none.
fs::path folder_of_python() {
  FILE* answer = popen(kAskPython, "re");
  if (!answer) return {};
  std::string text;
  char buffer[4096];
  while (const size_t count = fread(buffer, 1, sizeof buffer, answer)) text.append(buffer, count);
  if (pclose(answer) != 0) return {};
  return fs::path(text.substr(0, text.find('\n'))) / "lib";
}

// "2.13.0", as the file tells that CMake finds a libtorch by.
std::string version_in(const fs::path& folder) {
  static const std::regex line(R"re(\s*set\(PACKAGE_VERSION "([^"]*)"\).*)re");
  for (const char* there : {"../share/cmake/Torch", "../../share/cmake/Torch"}) {
    std::ifstream file(folder / there / "TorchConfigVersion.cmake");
    std::smatch match;
    for (std::string text; std::getline(file, text);) {
      if (std::regex_match(text, match, line)) return match[1];
    }
  }
  return "one of an unknown version";
}

// The folder of the libtorch that fits; what does not is added to `others`, in words.
fs::path find_libtorch(std::string& others) {
  const auto fits = [&](const fs::path& folder) {
    std::error_code error;
    if (folder.empty() || !fs::exists(folder / kLibrary, error)) return false;
    const std::string version = version_in(fs::canonical(folder / kLibrary, error).parent_path());
    if (version == kNeeded) return true;
    others += fmt::format("{}{} in {}", others.empty() ? "" : ", ", escape(version),
                          escape(folder.lexically_normal().string()));
    return false;
  };
  for (const auto& folders : {folders_of_user(), folders_of_loader()}) {
    for (const fs::path& folder : folders) {
      if (fits(folder)) return folder;
    }
  }
  if (const fs::path folder = library_folder() / "torch" / "lib"; fits(folder)) return folder;
  if (const fs::path folder = folder_of_python(); fits(folder)) return folder;
  return {};
}

}  // namespace

void load_libtorch() {
  std::string others;
  const fs::path folder = find_libtorch(others);
  if (folder.empty()) {
    const std::string found = others.empty() ? "found none" : "found " + others;
    throw Error(ExitCode::kPlugin,
                fmt::format("this Vitrine needs libtorch {}; {}; pip install torch=={} in the "
                            "environment of the python3 that PATH names",
                            kNeeded, found, kNeeded));
  }
  // The engine is then given these, by their names, wherever it would look itself.
  for (const char* name : {"libc10.so", kLibrary}) {
    if (!dlopen((folder / name).c_str(), RTLD_LAZY | RTLD_LOCAL))
      throw Error(ExitCode::kPlugin, fmt::format("cannot load libtorch: {}", escape(dlerror())));
  }
}

}  // namespace vitrine

#pragma once

#include <algorithm>

#include "tests/framework/cli/support.h"

namespace vitrine {

inline constexpr const char* kSweptConfig = R"(name: small
dataset: {type: digits, train: 180, test: 64, validation: 32}
model: {type: vit, n_patches: 4, n_blocks: 1, hidden_d: 8, n_heads: 2}
training: {epochs: 3, batch_size: 16}
)";

// A folder with a small config, from which sweeps of it are started.
class SweptFolder : public ConfigFolder {
 public:
  SweptFolder() : ConfigFolder(kSweptConfig) {}
  Result sweep(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"sweep", "small.yaml", "--run-dir", "sweep"});
    return run(arguments);
  }
  std::string refused(std::vector<std::string> arguments, int code = 2) const {
    const Result result = run(arguments);
    CHECK(result.code == code);
    return result.err;
  }
  std::filesystem::path trial(const std::string& name) const {
    return *this / "sweep" / "trials" / name;
  }
};

inline std::vector<std::string> names_in(const std::filesystem::path& folder) {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    out.push_back(entry.path().filename());
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace vitrine

#pragma once

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "framework/files/file.h"
#include "framework/files/gzip.h"
#include "tests/skip.h"

namespace vitrine {

inline constexpr const char* kMnistFiles[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                              "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};

// The folder with MNIST's four files, raw or .gz: P/mnist or P of each place P in VITRINE_DATA,
// then of data, ../data and ../shared/data. Relative places count from the repository. Empty where
// there is none, which skips the test.
inline std::filesystem::path mnist_folder() {
  namespace fs = std::filesystem;
  const fs::path source = VITRINE_SOURCE_DIR;
  std::vector<fs::path> places;
  const char* named = std::getenv("VITRINE_DATA");
  std::istringstream list(named ? named : "");
  for (std::string place; std::getline(list, place, ':');) {
    if (!place.empty()) places.push_back(source / place);
  }
  places.insert(places.end(), {source / "data", source / "../data", source / "../shared/data"});
  for (const fs::path& place : places) {
    for (const fs::path& folder : {place / "mnist", place}) {
      bool whole = true;
      for (const std::string name : kMnistFiles) {
        whole &= fs::exists(folder / name) || fs::exists(folder / (name + ".gz"));
      }
      if (whole) return fs::canonical(folder);
    }
  }
  skip(
      "the tests on MNIST: its four files are neither in data/mnist nor in a folder that "
      "VITRINE_DATA names");
  return {};
}

// The bytes of one of them, inflated.
inline std::string read_mnist_file(const std::filesystem::path& folder, const std::string& name) {
  constexpr uint64_t kMaxBytes = 1 << 26;
  if (exists(folder / name)) return read_file(folder / name, kMaxBytes);
  return gunzip(read_file(folder / (name + ".gz"), kMaxBytes), kMaxBytes, name);
}

}  // namespace vitrine

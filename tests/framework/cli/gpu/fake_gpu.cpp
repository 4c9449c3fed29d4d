// Stands for a GPU's driver, and for what libtorch computes with there: it only says that it was
// loaded, by a file of the name that FAKE_GPU holds.
#include <cstdio>
#include <cstdlib>

namespace {
const bool loaded = [] {
  const char* file = std::getenv("FAKE_GPU");
  return file && std::fclose(std::fopen(file, "w")) == 0;
}();
}  // namespace

#include <dlfcn.h>

#include "tests/catch.h"
#include "tests/framework/cli/support.h"
#include "tests/skip.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

// Of the libtorch that the program was built with.
fs::path torch_libraries() {
  std::smatch found;
  const std::string cache = bytes_of(fs::path(VITRINE_BINARY_DIR) / "CMakeCache.txt");
  REQUIRE(std::regex_search(cache, found, std::regex("\nTorch_DIR:[A-Z]+=([^\n]*)\n")));
  return fs::path(found[1].str()) / "../../../lib";
}

// Where a build for CUDA has what it needs beside it: its libraries find these by their own place.
std::string needed_libraries() {
  std::string out;
  std::error_code none;
  for (const auto& package : fs::directory_iterator(torch_libraries() / "../../nvidia", none)) {
    if (fs::is_directory(package.path() / "lib")) out += ":" + (package.path() / "lib").string();
  }
  return out;
}

// A folder from which the program takes libtorch, and a library for GPUs and their driver.
class FakeGpu {
 public:
  FakeGpu() {
    fs::create_directory(desk_ / "lib");
    for (const auto& library : fs::directory_iterator(torch_libraries())) {
      if (library.path().filename() != "libtorch_cuda.so")
        fs::create_symlink(fs::canonical(library), library_(library.path().filename()));
    }
  }
  void add(const std::string& name) const {
    fs::create_symlink(VITRINE_BINARY_DIR "/tests/libfake_gpu.so", library_(name));
  }
  void add_broken(const std::string& name) const { write_plain(library_(name), "no library"); }

  // What `show` says with that device.
  Result show(const std::string& device) const {
    fs::remove(desk_ / "loaded");
    return runner({"show", (desk_ / "a.yaml").string(), "device=" + device}, desk_ / "lib",
                  {{"LD_LIBRARY_PATH", (desk_ / "lib").string() + needed_libraries()},
                   {"FAKE_GPU", desk_ / "loaded"}});
  }
  bool was_loaded() const { return fs::exists(desk_ / "loaded"); }

 private:
  fs::path library_(const fs::path& name) const { return desk_ / "lib" / name; }

  Desk desk_;
};

TEST_CASE("what computes on GPUs is loaded where a driver is here and a GPU may be asked for") {
  if (dlopen("libcuda.so.1", RTLD_LAZY)) return skip("GPUs that are not here: a driver is");
  const FakeGpu gpu;
  gpu.add("libtorch_cuda.so");
  CHECK(gpu.show("auto").code == 0);
  CHECK_FALSE(gpu.was_loaded());  // no driver
  gpu.add("libcuda.so.1");
  CHECK(gpu.show("cpu").code == 0);
  CHECK_FALSE(gpu.was_loaded());
  const Result result = gpu.show("auto");
  CHECK(result.code == 0);
  CHECK(result.out.find("here cpu: no GPU is here\n") != std::string::npos);
  CHECK(gpu.was_loaded());
}

TEST_CASE("a library for GPUs that cannot be loaded is told where one is asked for") {
  if (dlopen("libcuda.so.1", RTLD_LAZY)) return skip("GPUs that are not here: a driver is");
  const FakeGpu gpu;
  gpu.add("libcuda.so.1");
  CHECK(gpu.show("cuda").err ==
        "error: command line:1:8: device: there is no cuda device here\n"
        "    1 | device=cuda\n"
        "      |        ^ device=auto takes the best that there is\n");
  gpu.add_broken("libtorch_cuda.so");
  const std::regex cuda(
      "error: command line:1:8: device: there is no cuda device here: "
      "[^\n]*/libtorch_cuda.so: file too short\n[^]*");
  CHECK(std::regex_match(gpu.show("cuda").err, cuda));
  const Result result = gpu.show("auto");
  CHECK(result.code == 0);
  CHECK(std::regex_search(result.out, std::regex("here cpu: a GPU that cannot be used: [^\n]*"
                                                 "/libtorch_cuda.so: file too short\n")));
}

}  // namespace
}  // namespace vitrine

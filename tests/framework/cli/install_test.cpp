#include <fmt/format.h>

#include "tests/framework/cli/support.h"

// A build that was installed elsewhere, as `cmake --install` and packages do.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

Result command(const std::vector<std::string>& words, const fs::path& folder,
               const std::map<std::string, std::string>& environment = {}) {
  return Process(words, folder, environment).wait();
}

class Installed : public TemporaryFolder {
 public:
  Installed() {
    const Result result =
        command({"cmake", "--install", VITRINE_BINARY_DIR, "--prefix", prefix()}, path());
    INFO(result.err);
    REQUIRE(result.code == 0);
  }
  fs::path prefix() const { return path() / "vitrine"; }
  Result run(std::vector<std::string> words, std::map<std::string, std::string> environment = {}) {
    words.insert(words.begin(), prefix() / "bin/runner");
    environment.try_emplace("PATH", (prefix() / "bin").string() + ":" + std::getenv("PATH"));
    return command(words, path(), environment);
  }
  // Takes out where libtorch was, as packages do.
  void forget_libtorch() const {
    write_plain(*this / "package.cmake",
                fmt::format("include({}/CPackConfig.cmake)\nset(CPACK_GENERATOR DEB)\n"
                            "set(CPACK_TEMPORARY_DIRECTORY {})\ninclude({}/cmake/package.cmake)\n",
                            VITRINE_BINARY_DIR, path().string(), VITRINE_SOURCE_DIR));
    const Result result = command({"cmake", "-P", *this / "package.cmake"}, path());
    INFO(result.err);
    REQUIRE(result.code == 0);
  }
};

// Where a program or library has the loader look.
std::string loader_path(const fs::path& file) {
  const Result result = command({"readelf", "--dynamic", "--wide", file}, "/");
  const std::string begin = "path: [";
  const size_t at = result.out.find(begin) + begin.size();
  return result.out.substr(at, result.out.find(']', at) - at);
}

TEST_CASE("libraries are looked for where they lie, and never in the current folder") {
  for (const char* file :
       {"runner", "libvitrine_core.so", "libvitrine_engine.so", "libvitrine_predict.so"}) {
    CAPTURE(file);
    const std::string path = ":" + loader_path(fs::path(VITRINE_BINARY_DIR) / file) + ":";
    CHECK_THAT(path, StartsWith(":$ORIGIN:"));
    CHECK(path.find("::") == path.npos);
  }
}

// What stands in quotes behind `before`.
std::string quoted_after(const std::string& text, const std::string& before) {
  const size_t begin = text.find(before + " \"") + before.size() + 2;
  return text.substr(begin, text.find('"', begin) - begin);
}

TEST_CASE("an installed program, moved elsewhere, uses nothing of the build, and builds plug-ins") {
  Installed installed;
  const Result listed = installed.run({"list", "mlp", "gelu"}, {{"LD_DEBUG", "files"}});
  REQUIRE(listed.code == 0);
  CHECK(listed.err.find(VITRINE_BINARY_DIR) == listed.err.npos);
  const Result trained =
      installed.run({installed.prefix() / "share/vitrine/configs/vit_digits.yaml",
                     "dataset.train=300", "dataset.validation=100", "training.max_steps=2"});
  INFO(trained.err);
  REQUIRE(trained.code == 0);
  const Json metrics = json_of(installed / "runs/vit_digits/latest/metrics.json");
  CHECK(metrics.at("environment").at("sources") != "unknown");

  // CMake finds it where the program is on the PATH, and knows its version.
  fs::create_directory(installed / "found");
  write_plain(installed / "found/CMakeLists.txt",
              "cmake_minimum_required(VERSION 3.22)\nfind_package(Vitrine 0.1 REQUIRED)\n"
              "project(found NONE)\nfile(WRITE ${CMAKE_BINARY_DIR}/found ${Vitrine_DIR})\n");
  REQUIRE(command({"cmake", "-S", "found", "-B", "found"}, installed.path(),
                  {{"PATH", (installed.prefix() / "bin").string() + ":" + std::getenv("PATH")}})
              .code == 0);
  CHECK(bytes_of(installed / "found/found") == installed.prefix() / "lib/vitrine/cmake");

  REQUIRE(installed.run({"plugin", "new", "norm", "mine"}).code == 0);
  const std::string text = bytes_of(installed / "mine/CMakeLists.txt");
  CHECK_THAT(text, Contains((installed.prefix() / "lib/vitrine/cmake").string()));
  CHECK_THAT(bytes_of(installed / "mine/README.md"), Contains("\nrunner mine.yaml\n"));
  const Result built_plugin =
      command({"sh", "-c", "cmake -S . -B build && cmake --build build"}, installed / "mine", {});
  INFO(built_plugin.out << built_plugin.err);
  REQUIRE(built_plugin.code == 0);
  // It serves the program in the build, and one that the build made serves the installed one.
  const std::string of_build = std::string("--plugin=") + VITRINE_BINARY_DIR;
  CHECK(runner({"list", "norm", "mine", "--plugin", "mine/build/mine.so"}, installed.path()).code ==
        0);
  CHECK(installed.run({"list", "mlp", "squared", of_build + "/test_plugin_squared.so"}).code == 0);
}

TEST_CASE("models are run from C, C++ and Python by what is installed, without libtorch") {
  Installed installed;
  REQUIRE(installed
              .run({installed.prefix() / "share/vitrine/configs/vit_digits.yaml",
                    "dataset.train=300", "dataset.validation=100", "training.max_steps=2"})
              .code == 0);
  const std::string model = installed / "runs/vit_digits/latest/model.safetensors";
  const std::string examples = installed.prefix() / "share/vitrine/docs/inference";
  const Result built = command({"sh", "-c",
                                "cmake -S " + examples + " -B built -DCMAKE_PREFIX_PATH=" +
                                    installed.prefix().string() + " && cmake --build built"},
                               installed.path());
  INFO(built.out << built.err);
  REQUIRE(built.code == 0);
  const Result in_c =
      command({installed / "built/example_c", model}, installed.path(), {{"LD_DEBUG", "files"}});
  REQUIRE(in_c.code == 0);
  CHECK_THAT(in_c.err, Contains("libvitrine_infer.so.0"));
  CHECK(in_c.err.find("libtorch") == std::string::npos);
  CHECK(std::count(in_c.out.begin(), in_c.out.end(), '\n') == 10);
  const std::string best = command({installed / "built/example_cpp", model}, installed.path()).out;
  CHECK(best.size() == 2);
  CHECK(command({installed / "built/example_cpp", "nothing"}, installed.path()).err ==
        "cannot read nothing: No such file or directory\n");

  // pkg-config tells the same folders.
  const std::map<std::string, std::string> packages = {
      {"PKG_CONFIG_PATH", installed.prefix() / "lib/pkgconfig"}};
  const Result flags =
      command({"pkg-config", "--cflags", "--libs", "vitrine-infer"}, installed.path(), packages);
  CHECK_THAT(flags.out, Contains("-lvitrine_infer"));

  if (command({"python3", "-c", "import numpy"}, installed.path()).code != 0) return;
  const Result in_python =
      command({"python3", "-c",
               "import sys; sys.path.insert(0, sys.argv[1])\n"
               "import numpy, vitrine_infer\n"
               "model = vitrine_infer.Model(sys.argv[2])\n"
               "image = numpy.zeros(model.image, numpy.uint8)\n"
               "for name, share in zip(model.tasks[0].names, model.run(image)[0]):\n"
               "    print(f'{name} {share:.6f}')\n"
               "print(*model.classes(image), file=sys.stderr)\n",
               installed.prefix() / "share/vitrine/python", model},
              installed.path(),
              {{"VITRINE_INFER_LIBRARY", installed.prefix() / "lib/libvitrine_infer.so.0"}});
  CHECK(in_python.code == 0);
  CHECK(in_python.out == in_c.out);
  CHECK(in_python.err == best);
}

TEST_CASE("a libtorch of another version is refused in words, and the right one is found") {
  Installed installed;
  const std::string told =
      bytes_of(installed.prefix() / "lib/vitrine/cmake/VitrineInstalled.cmake");
  const std::string needed = quoted_after(told, "set(vitrine_needed_torch");
  const fs::path right = fs::path(quoted_after(told, "set(vitrine_built_torch")) / "../../..";
  installed.forget_libtorch();
  CHECK(bytes_of(installed.prefix() / "lib/vitrine/cmake/VitrineInstalled.cmake")
            .find(right.string()) == std::string::npos);

  // A python3 that tells of a PyTorch.
  const fs::path tools = installed / "tools", other = installed / "torch";
  fs::create_directory(tools);
  const auto python_tells = [&](const std::string& line) {
    write_plain(tools / "python3", "#!/bin/sh\n" + line + "\n");
    fs::permissions(tools / "python3", fs::perms::owner_all);
  };
  const auto list = [&] {
    return installed.run({"list", "norm"}, {{"PATH", tools.string() + ":" + std::getenv("PATH")}});
  };
  const auto message = [&](const std::string& found) {
    return fmt::format(
        "error: this Vitrine needs libtorch {0}; {1}; pip install torch=={0} in the "
        "environment of the python3 that PATH names\n",
        needed, found);
  };
  python_tells("exit 1");
  CHECK(list().code == 6);
  CHECK(list().err == message("found none"));
  CHECK(installed.run({"--version"}).code == 0);

  // A model's program needs none.
  REQUIRE(runner({VITRINE_SOURCE_DIR "/configs/vit_digits.yaml", "dataset.train=300",
                  "dataset.validation=100", "training.max_steps=2", "--run-dir", "run"},
                 installed.path())
              .code == 0);
  std::vector<std::string> predict = {"predict", "run"};
  predict.push_back(fs::directory_iterator(installed / "run/worst")->path());
  const auto predicted = [&] {
    return installed.run(predict, {{"PATH", tools.string() + ":" + std::getenv("PATH")}});
  };
  CHECK(predicted().err == "");
  CHECK(predicted().code == 0);
  predict.insert(predict.end(), {"--checkpoint", "best"});
  CHECK(predicted().err == message("found none"));
  CHECK(predicted().code == 6);

  fs::create_directories(other / "lib");
  fs::create_directories(other / "share/cmake/Torch");
  write_plain(other / "lib/libtorch_cpu.so", "");
  write_plain(other / "share/cmake/Torch/TorchConfigVersion.cmake",
              "set(PACKAGE_VERSION \"2.5.1\")\n");
  python_tells("echo " + other.string());
  CHECK(list().err == message("found 2.5.1 in " + (other / "lib").string()));
  fs::remove(other / "share/cmake/Torch/TorchConfigVersion.cmake");
  CHECK(list().err == message("found one of an unknown version in " + (other / "lib").string()));

  python_tells("echo " + right.string());
  CHECK(list().err == "");
  CHECK(list().code == 0);
  python_tells("exit 1");
  fs::create_directory_symlink(right, installed.prefix() / "lib/vitrine/torch");
  CHECK(list().code == 0);
  // A sweep's own copy of the program finds it too.
  const Result swept = installed.run(
      {"sweep", installed.prefix() / "share/vitrine/configs/vit_digits.yaml", "seed=0",
       "dataset.train=300", "dataset.validation=100", "training.max_steps=2", "--run-dir", "s"},
      {{"PATH", tools.string() + ":" + std::getenv("PATH")}});
  INFO(swept.err);
  CHECK(swept.code == 0);
}

}  // namespace
}  // namespace vitrine

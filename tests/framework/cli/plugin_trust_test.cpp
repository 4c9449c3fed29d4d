#include <fmt/format.h>

#include "framework/images/encode.h"
#include "tests/framework/cli/support.h"

// Whose code runs, and when.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLibrary = VITRINE_BINARY_DIR "/test_plugin_squared.so";

// A run whose model has a part of a plug-in, and an image for it.
class PluginFolder : public ConfigFolder {
 public:
  PluginFolder() : ConfigFolder(kSmallConfig) {
    fs::copy_file(kLibrary, *this / "parts.so");
    write_plain(*this / "image.png", encode_png({28, 28, 1, std::vector<uint8_t>(28 * 28)}));
    const Result result =
        run({"small.yaml", "plugins=parts.so", "model.mlp=squared", "--run-dir", "run"});
    INFO(result.err);
    REQUIRE(result.code == 0);
    CHECK(result.err == named());
  }
  std::string named() const {
    return "loading the plug-in " + (fs::canonical(path()) / "parts.so").string() + "\n";
  }
  // Whether the library's constructors ran, and what the verb wrote.
  Result marked(const std::vector<std::string>& arguments, bool& loaded) const {
    const fs::path mark = *this / "mark";
    fs::remove(mark);
    Result out = runner(arguments, path(), {{"VITRINE_TEST_MARK", mark}});
    loaded = fs::exists(mark);
    return out;
  }
};

TEST_CASE("verbs that read results run no code of a run") {
  const PluginFolder folder;
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"status", "run"},
        {"compare", "run"},
        {"compare", "run", "--where", "model.mlp=squared"},
        {"report", "run", "-o", "r.html"},
        {"note", "run", "seen"},
        {"tag", "run", "good"},
        {"plot", "curves", "run", "-o", "c.csv"}}) {
    bool loaded = true;
    const Result result = folder.marked(command, loaded);
    INFO(command[0] << result.err);
    CHECK(result.code == 0);
    CHECK_FALSE(loaded);
    CHECK(result.err == "");
  }
}

TEST_CASE("predict, export, plot and test serve a run that uses a plug-in, and name it first") {
  const PluginFolder folder;
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"predict", "run", "image.png"},
        {"predict", "run/model.safetensors", "image.png"},
        {"predict", "run", "image.png", "--checkpoint", "best"},
        {"export", "run", "weights.safetensors"},
        {"plot", "attention", "run", "-o", "a.png"},
        {"test", "run"},
        {"show", "run/config.yaml"}}) {
    bool loaded = false;
    const Result result = folder.marked(command, loaded);
    INFO(command[0] << result.err);
    CHECK(result.code == 0);
    CHECK(loaded);
    CHECK_THAT(result.err, StartsWith(folder.named()));
  }
}

TEST_CASE("a sweep's own copy of the program is named, and refused where everyone can write it") {
  const ConfigFolder folder(kSmallConfig);
  REQUIRE(folder.run({"sweep", "small.yaml", "seed=0", "--run-dir", "s"}).err == "");
  const fs::path program = fs::canonical(folder.path()) / "s/build/runner";
  CHECK(folder.run({"resume", "s"}).err == "");  // it is the very program that was started
  std::ofstream(program, std::ios::app) << "another";
  const Result resumed = folder.run({"resume", "s"});
  CHECK(resumed.code == 0);
  CHECK_THAT(resumed.err,
             StartsWith("running the sweep's own copy of the program, " + program.string() + "\n"));
  for (const fs::path& file : {program, program.parent_path() / "libvitrine_engine.so"}) {
    fs::permissions(file, fs::perms::others_write, fs::perm_options::add);
    const Result result = folder.run({"resume", "s", "seed=0,1"});
    CHECK(result.code == 6);
    CHECK(result.err ==
          fmt::format("error: the sweep's own copy of the program, {0}: everyone can write it, so "
                      "its code may be anybody's; chmod o-w {0} if you trust what is there\n",
                      file.string()));
    fs::permissions(file, fs::perms::others_write, fs::perm_options::remove);
  }
}

TEST_CASE("a plug-in whose constructors fail is refused in words") {
  const Desk desk;
  const auto said = [&](const std::string& name) {
    const std::string file = VITRINE_BINARY_DIR "/test_plugin_" + name + ".so";
    const std::string text = desk.error(ExitCode::kPlugin, {"a.yaml", "plugins=" + file});
    const std::string start = fmt::format("loading the plug-in {0}\nerror: plug-in {0}: ", file);
    return text.starts_with(start) ? text.substr(start.size()) : text;
  };
  CHECK(said("throwing") == "its constructors throw: no licence\\nfor today\n");
  CHECK(said("crashing") == "its constructors crash: Segmentation fault\n");
  CHECK(said("exiting") == "its constructors end the process with exit code 3\n");
}

}  // namespace
}  // namespace vitrine

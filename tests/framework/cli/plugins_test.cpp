#include <fmt/format.h>

#include "framework/files/safetensors.h"
#include "framework/images/encode.h"
#include "tests/framework/cli/support.h"

// Wherever a run or a model is, what it needs of plug-ins is found, or named.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

// A folder with plug-ins: parts.so has the mlp "squared", blink.so a random transform, weight.so a
// plot, and life.so the mlp "life", which links two libraries beside it.
class PluginFolder : public ConfigFolder {
 public:
  PluginFolder() : ConfigFolder(kSmallConfig) {
    for (const auto& [from, to] : {std::pair("squared", "parts"),
                                   {"blink", "blink"},
                                   {"weight", "weight"},
                                   {"sine", "sine"}})
      fs::copy_file(fmt::format(VITRINE_BINARY_DIR "/test_plugin_{}.so", from),
                    *this / (to + std::string(".so")));
    take_libraries(1);
    fs::copy_file(VITRINE_BINARY_DIR "/tests/libraries_1/test_plugin_life.so", *this / "life.so");
    Image image{28, 28, 1, std::vector<uint8_t>(28 * 28)};
    image.pixels[400] = 255;
    write_plain(*this / "image.png", encode_png(image));
  }
  // The libraries of life.so, in one of two versions.
  void take_libraries(int version) const {
    for (const char* name : {"libtest_helper.so", "libtest_deep.so"}) {
      fs::remove(*this / name);
      fs::copy_file(fmt::format(VITRINE_BINARY_DIR "/tests/libraries_{}/{}", version, name),
                    *this / name);
    }
  }
  Result train(std::vector<std::string> more) const {
    more.insert(more.begin(), "small.yaml");
    Result out = run(more);
    INFO(out.err);
    REQUIRE(out.code == 0);
    return out;
  }
  std::string absolute(const std::string& name) const {
    return (fs::canonical(path()) / name).string();
  }
  std::string loading(const std::string& name) const {
    return "loading the plug-in " + absolute(name) + "\n";
  }
  // What a verb says after `named` were loaded; it ends well.
  std::string said(const std::vector<std::string>& arguments, const std::string& named) const {
    const Result result = run(arguments);
    INFO(arguments[0] << ": " << result.err);
    CHECK(result.code == 0);
    CHECK_THAT(result.err, StartsWith(named));
    return result.err.substr(std::min(named.size(), result.err.size()));
  }
};

Json plugins_in(const fs::path& model) {
  const auto file = Safetensors::header_only(model);
  return Json::parse(file.metadata().at("vitrine")).value("plugins", Json());
}

TEST_CASE("a plug-in of the command line serves each verb that builds something") {
  const PluginFolder folder;
  const std::string parts = folder.loading("parts.so");
  const auto serves = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--plugin", "parts.so"});
    return folder.said(arguments, parts);
  };
  serves({"small.yaml", "model.mlp=squared", "--dry-run"});
  serves({"small.yaml", "model.mlp=squared", "--run-dir", "run", "--stop-after", "5"});
  CHECK(json_of(folder / "run/metrics.json").at("config").at("plugins") ==
        Json{folder.absolute("parts.so")});
  serves({"resume", "run"});
  serves({"test", "run"});
  serves({"predict", "run", "image.png"});
  serves({"export", "run", "weights.safetensors"});
  serves({"plot", "positions", "run", "-o", "a.png"});
  serves({"show", "small.yaml", "model.mlp=squared"});
  serves({"list", "mlp", "squared"});
  const Result schema = folder.run({"schema", "--plugin", "parts.so"});
  CHECK_THAT(schema.out, Contains("\"squared\""));
  serves({"sweep", "small.yaml", "model.mlp=squared,gelu", "--dry-run"});
  CHECK(folder.said({"compare", "run"}, "") == "");
}

TEST_CASE("a plug-in's own plot is drawn of a run that does not know it, and of none") {
  const PluginFolder folder;
  folder.train({"plugins=parts.so", "model.mlp=squared", "--run-dir", "run"});
  const std::string weight = folder.loading("weight.so"), parts = folder.loading("parts.so");
  CHECK(folder.said({"plot", "weight", "run", "--plugin", "weight.so"}, weight + parts) == "");
  CHECK(folder.said({"plot", "weight", "--plugin=weight.so", "-o", "none.svg"}, weight) == "");
  const Result unknown = folder.run({"plot", "weight", "-o", "none.png"});
  CHECK(unknown.code == 2);
  CHECK_THAT(unknown.err, Contains("unknown plot \"weight\""));
  CHECK_THAT(unknown.err,
             EndsWith("no plug-in is loaded; plugins: [FILE] or --plugin FILE adds some\n"));
}

TEST_CASE("a model without its run names the plug-ins that it needs") {
  const PluginFolder folder;
  folder.train({"plugins=[weight.so, blink.so, parts.so]", "model.mlp=squared",
                "dataset.transforms=[blink]", "--run-dir", "run"});
  const Json named = plugins_in(folder / "run/model.safetensors");
  REQUIRE(named.size() == 1);  // not those that it does without
  CHECK(named[0].at("name") == "test_plugin_squared");
  CHECK(named[0].at("path") == folder.absolute("parts.so"));
  CHECK(named[0].at("components") == Json{"mlp squared"});
  const std::string digest = named[0].at("sources");
  CHECK(json_of(folder / "run/metrics.json").at("environment").at("plugins")[1] ==
        Json{{"name", "test_plugin_squared"}, {"sources", digest}});

  fs::create_directory(folder / "bare");
  fs::rename(folder / "run/model.safetensors", folder / "bare/m.safetensors");
  const std::string model = "bare/m.safetensors";
  const std::string lacks = fmt::format(
      "error: {}: the model has parts that are not here: mlp squared of the plug-in "
      "\"test_plugin_squared\" (code {}, at {} when it was trained); --plugin FILE loads it\n",
      model, digest.substr(0, 12), folder.absolute("parts.so"));
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"predict", model, "image.png"},
        {"export", model, "w.safetensors"},
        {"plot", "positions", model, "-o", "a.png"}}) {
    const Result result = folder.run(command);
    CHECK(result.code == 5);
    CHECK(result.err == lacks);
    auto given = command;
    given.insert(given.end(), {"--plugin", "parts.so"});
    CHECK(folder.said(given, folder.loading("parts.so")) == "");
  }
}

TEST_CASE("a plug-in that was moved is given anew, and one of its name takes its place") {
  const PluginFolder folder;
  REQUIRE(folder
              .run({"small.yaml", "plugins=[parts.so, weight.so]", "model.mlp=squared", "--run-dir",
                    "run", "--stop-after", "2"})
              .code == 75);
  fs::rename(folder / "parts.so", folder / "moved.so");
  const Result gone = folder.run({"test", "run"});
  CHECK(gone.code == 6);
  CHECK(gone.err == "error: plug-in " + folder.absolute("parts.so") + ": no such file\n");
  const std::string moved = folder.loading("moved.so");
  const std::string warning = "warning: plug-in " + folder.absolute("parts.so") +
                              ": no such file; --plugin has the one that is taken\n";
  CHECK(folder.said({"test", "run", "--plugin", "moved.so"}, moved) ==
        warning + folder.loading("weight.so"));
  folder.said({"predict", "run", "image.png", "--plugin", "moved.so"}, moved + warning);
  folder.said({"resume", "run", "--plugin", "moved.so"}, moved + warning);
  CHECK(json_of(folder / "run/metrics.json").at("exact").get<bool>());
  CHECK(folder.said({"test", "run"}, folder.loading("weight.so") + moved) == "");

  fs::copy_file(folder / "moved.so", folder / "again.so");
  CHECK(folder.said({"test", "run", "--plugin", "again.so"}, folder.loading("again.so")) ==
        folder.loading("weight.so") + "warning: plug-in " + folder.absolute("moved.so") +
            ": left out, as --plugin has the one that is taken\n");
}

TEST_CASE("plug-ins of a config come beside those of its bases, each once") {
  const PluginFolder folder;
  write_plain(folder / "base.yaml", "base: small.yaml\nplugins: parts.so\n");
  write_plain(folder / "other.yaml", "base: small.yaml\nplugins: [parts.so, weight.so]\n");
  write_plain(folder / "both.yaml",
              "base: [base.yaml, other.yaml]\nplugins: [sine.so, ./parts.so]\n");
  write_plain(folder / "own.yaml", "base: base.yaml\nunset: [plugins]\nplugins: [sine.so]\n");
  const auto plugins = [&](const std::string& config, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"show", config, "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    std::vector<std::string> out;
    const Json shown = Json::parse(folder.run(arguments).out);
    for (const std::string path : shown.at("config").at("plugins"))
      out.push_back(fs::path(path).filename());
    return out;
  };
  using Names = std::vector<std::string>;
  CHECK(plugins("both.yaml") == Names{"parts.so", "weight.so", "sine.so"});
  CHECK(plugins("own.yaml") == Names{"sine.so"});
  CHECK(plugins("base.yaml", {"plugins=sine.so"}) == Names{"sine.so"});
  CHECK(plugins("base.yaml", {"plugins+=sine.so"}) == Names{"parts.so", "sine.so"});
  CHECK(plugins("base.yaml", {"--plugin", "sine.so"}) == Names{"parts.so", "sine.so"});
}

TEST_CASE("an unknown component is told with the plug-ins that are loaded") {
  const PluginFolder folder;
  const Result none = folder.run({"small.yaml", "model.mlp=mine"});
  CHECK(none.code == 2);
  CHECK_THAT(none.err, EndsWith("there are gelu, relu, squared_relu, swiglu; no plug-in is loaded; "
                                "plugins: [FILE] or --plugin FILE adds some\n"));
  const Result some =
      folder.run({"small.yaml", "model.mlp=whatever", "plugins=[parts.so, sine.so]"});
  CHECK_THAT(some.err, EndsWith("there are gelu, relu, sine, squared, squared_relu, swiglu; "
                                "plug-ins that are loaded: parts.so, sine.so\n"));
  const Result listed = folder.run({"list", "mlp", "mine"});
  CHECK(listed.err ==
        "error: there is no mlp \"mine\"; there are gelu, relu, squared_relu, swiglu; no plug-in "
        "is loaded; plugins: [FILE] or --plugin FILE adds some\n");
}

TEST_CASE("a library behind a plug-in is part of the code") {
  const PluginFolder folder;
  const std::vector<std::string> life = {"plugins=life.so", "model.mlp=life"};
  folder.train({life[0], life[1], "--run-dir", "whole"});
  const Json plugin = json_of(folder / "whole/metrics.json").at("environment").at("plugins")[0];
  CHECK(plugin.at("name") == "test_plugin_life");
  CHECK(plugin.at("libraries").size() == 2);
  CHECK(plugins_in(folder / "whole/model.safetensors")[0].at("libraries") ==
        plugin.at("libraries"));
  const Result stopped =
      folder.run({"small.yaml", life[0], life[1], "--run-dir", "run", "--stop-after", "2"});
  REQUIRE(stopped.code == 75);

  folder.take_libraries(2);
  const Result resumed = folder.run({"resume", "run"});
  CHECK(resumed.code == 0);
  CHECK_THAT(resumed.err, Contains("this run goes on with another value of build ("));
  CHECK_FALSE(json_of(folder / "run/metrics.json").at("exact").get<bool>());
  const auto shown = [](const Json& digest) { return digest.get<std::string>().substr(0, 12); };
  const Json now = json_of(folder / "run/metrics.json").at("environment").at("plugins")[0];
  const std::string changed = fmt::format(
      "the plug-in \"test_plugin_life\" is not what trained it: libtest_deep.so that it links was "
      "{}, and is {}",
      shown(plugin.at("libraries").at("libtest_deep.so")),
      shown(now.at("libraries").at("libtest_deep.so")));
  CHECK_THAT(folder.run({"test", "whole"}).err, Contains("warning: whole: " + changed));
  CHECK_THAT(folder.run({"predict", "whole", "image.png"}).err,
             Contains("warning: whole/model.safetensors: " + changed));
  folder.take_libraries(1);
  CHECK(folder.said({"test", "whole"}, folder.loading("life.so")) == "");
}

TEST_CASE("a sweep keeps the libraries of its plug-ins, and its trials load these") {
  const PluginFolder folder;
  const std::string by_path = VITRINE_BINARY_DIR "/test_plugin_life_by_path.so";
  for (const std::string& plugin : {folder.absolute("life.so"), by_path}) {
    const std::string sweep = "s-" + fs::path(plugin).stem().string();
    const Result swept = folder.run({"sweep", "small.yaml", "model.mlp=life", "seed=0", "--run-dir",
                                     sweep, "--plugin", plugin});
    INFO(swept.out << swept.err);
    REQUIRE(swept.code == 0);
    const fs::path trial = fs::canonical(folder / (sweep + "/best"));
    const fs::path copy = Json::parse(bytes_of(trial / "metrics.json"))
                              .at("config")
                              .at("plugins")[0]
                              .get<std::string>();
    CHECK(copy.parent_path() == folder.absolute(sweep + "/build"));
    const fs::path kept = copy.string() + ".libraries";
    CHECK(bytes_of(kept / "000-libtest_deep.so") ==
          bytes_of(VITRINE_BINARY_DIR "/tests/libraries_1/libtest_deep.so"));
    const Result resumed = folder.run({"resume", sweep, "--plugin", plugin});
    CHECK(resumed.code == 2);
    CHECK_THAT(resumed.err, StartsWith("error: --plugin has no effect: the trials of a sweep "));
    // What lies there is what a trial loads, whatever becomes of the original.
    folder.take_libraries(2);
    CHECK(folder.run({"test", trial}).err == "loading the plug-in " + copy.string() + "\n");
    folder.take_libraries(1);
    fs::copy_file(VITRINE_BINARY_DIR "/tests/libraries_2/libtest_deep.so",
                  kept / "000-libtest_deep.so", fs::copy_options::overwrite_existing);
    CHECK_THAT(folder.run({"test", trial}).err,
               Contains("is not what trained it: libtest_deep.so that it links was "));
  }
}

}  // namespace
}  // namespace vitrine

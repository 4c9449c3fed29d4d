#include "tests/framework/cli/results.h"
#include "tests/framework/cli/support.h"

// The key that says how a model is executed.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

const std::string kPlugins = VITRINE_BINARY_DIR "/test_plugin_";

std::string plugin(const std::string& name) { return "plugins=[" + kPlugins + name + ".so]"; }
std::string loading(const std::string& name) {
  return "loading the plug-in " + kPlugins + name + ".so\n";
}

TEST_CASE("a plug-in's part that is written with operations is recorded") {
  const ConfigFolder folder(kSmallConfig);
  const Result result =
      folder.run({"small.yaml", plugin("squared"), "model.mlp=squared", "--run-dir", "run"});
  CHECK(result.err == loading("squared"));
  REQUIRE(result.code == 0);
  CHECK(json_of(folder / "run/metrics.json").at("execution").at("backend") ==
        Json({{"value", "fused"},
              {"derived", true},
              {"why", "the model can be recorded, and is faster than in layers"}}));
}

TEST_CASE(
    "a part that computes with libtorch itself is served by layers, and named as the reason") {
  const ConfigFolder folder(kSmallConfig);
  const std::string reason =
      "blocks.0.mlp: sine computes with libtorch itself "
      "(sine.cpp:15)";
  const Result shown = folder.run({"show", "small.yaml", plugin("sine"), "model.mlp=sine"});
  CHECK(shown.code == 0);
  CHECK_THAT(shown.out, Contains("\nbackend: auto  # default; here layers: " + reason + "\n"));
  CHECK_THAT(shown.err, Contains("\nmodel ") && Contains("\ntotal "));

  const Result trained =
      folder.run({"small.yaml", plugin("sine"), "model.mlp=sine", "--run-dir", "run"});
  CHECK(trained.err == loading("sine"));
  REQUIRE(trained.code == 0);
  CHECK(json_of(folder / "run/metrics.json").at("execution").at("backend") ==
        Json({{"value", "layers"}, {"derived", true}, {"why", reason}}));
  CHECK(folder.run({"test", "run"}).code == 0);
  CHECK(folder.run({"resume", "run", "training.epochs=9"}).code == 0);

  const Result refused = folder.run(
      {"small.yaml", plugin("sine"), "model.mlp=sine", "backend=fused", "--run-dir", "other"});
  CHECK(refused.code == 2);
  CHECK(refused.err ==
        loading("sine") + "error: command line:1:9: backend: fused cannot execute this model: " +
            reason + "\n    1 | backend=fused\n      |         ^ layers executes every model\n");
  CHECK_FALSE(fs::exists(folder / "other"));
}

TEST_CASE("a backend that was asked for is taken") {
  const ConfigFolder folder(kSmallConfig);
  for (const std::string backend : {"fused", "layers"}) {
    CAPTURE(backend);
    REQUIRE(folder.run({"small.yaml", "backend=" + backend, "--run-dir", backend}).code == 0);
    CHECK(json_of(folder / backend / "metrics.json").at("execution").at("backend") ==
          Json({{"value", backend}, {"derived", false}, {"why", "asked for"}}));
  }
  const Result result = folder.run({"show", "small.yaml", "backend=kernel"});
  CHECK(result.code == 2);
  CHECK(result.err ==
        "error: command line:1:9: backend: expected one of auto, fused, layers, got \"kernel\"\n"
        "    1 | backend=kernel\n"
        "      |         ^\n");
}

TEST_CASE("the key that it was once is answered with its name") {
  const ConfigFolder folder(kSmallConfig);
  const Result assigned = folder.run({"show", "small.yaml", "model.encoder=layers"});
  CHECK(assigned.code == 2);
  CHECK(assigned.err ==
        "error: command line:1:7: model.encoder: unknown key\n"
        "    1 | model.encoder=layers\n"
        "      |       ^ did you mean backend (at the top)?\n");
  write_plain(folder / "old.yaml", "model: {type: vit, encoder: fused}\ndataset: digits\n");
  CHECK(folder.run({"show", "old.yaml"}).err ==
        "error: old.yaml:1:20: model.encoder: unknown key\n"
        "    1 | model: {type: vit, encoder: fused}\n"
        "      |                    ^ did you mean backend (at the top)?\n");
  // As the config of an older run spells it.
  write_plain(folder / "run.yaml",
              "model:\n  type: vit\n  encoder:\n    type: auto\ndataset: digits\n");
  CHECK(folder.run({"show", "run.yaml"}).err ==
        "error: run.yaml:3:3: model.encoder: unknown key\n"
        "    3 |   encoder:\n"
        "      |   ^ did you mean backend (at the top)?\n");
}

}  // namespace
}  // namespace vitrine

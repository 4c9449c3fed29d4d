#include <sys/stat.h>

#include <cstdlib>

#include "tests/framework/cli/support.h"

// Where a config comes from, and how it names what is elsewhere.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

std::string weights_of(const fs::path& run) { return bytes_of(run / "model.safetensors"); }

TEST_CASE("what show prints is a config, which a pipe brings back to the same bits") {
  const ConfigFolder folder(kSmallConfig);
  const auto does = [&](const std::string& line) {
    const Result result = shell(line, folder.path());
    INFO(result.out << result.err);
    CHECK(result.code == 0);
  };
  does("\"$RUNNER\" small.yaml seed=3 'note=see $${' --run-dir a");
  does("\"$RUNNER\" show small.yaml seed=3 'note=see $${' 2>/dev/null >new.yaml");
  does("\"$RUNNER\" new.yaml --run-dir b");
  does("\"$RUNNER\" show small.yaml seed=3 2>/dev/null | \"$RUNNER\" - --run-dir c");
  does("cat new.yaml | \"$RUNNER\" /dev/stdin --run-dir d");
  does("bash -c '\"$0\" <(cat new.yaml) --run-dir e' \"$RUNNER\"");
  for (const char* run : {"b", "c", "d", "e"})
    CHECK(weights_of(folder / run) == weights_of(folder / "a"));
  CHECK(bytes_of(folder / "b/config.yaml") == bytes_of(folder / "d/config.yaml"));
  CHECK_THAT(shell("\"$RUNNER\" show small.yaml", folder.path()).err,
             Catch::Matchers::StartsWith("\nlayer ") && Contains("\ntotal "));
}

TEST_CASE("every verb that takes a config takes it from standard input") {
  const ConfigFolder folder(kSmallConfig);
  const auto said = [&](const std::string& line) {
    const Result result = shell(line, folder.path());
    return result.out + result.err;
  };
  CHECK_THAT(said("\"$RUNNER\" show - <small.yaml"), Contains("seed: 0  # default\n"));
  CHECK_THAT(said("\"$RUNNER\" sweep - seed=0,1 --dry-run <small.yaml"), Contains("2 trials"));
  CHECK_THAT(said("\"$RUNNER\" test - <small.yaml"), Contains("there are no weights to test"));
  CHECK(
      said("echo 'sede: 1' | \"$RUNNER\" -") ==
      "error: stdin: dataset: needs a type\n"
      "      there are arrays, cifar10, cifar100, csv, digits, emnist, fashion_mnist, folder, idx, "
      "kmnist, mnist, npy, npz, qmnist, svhn, usps\n"
      "stdin: model: needs a type\n"
      "      there are lenet, mixer, vit\n"
      "stdin:1:1: sede: unknown key\n"
      "    1 | sede: 1\n"
      "      | ^ did you mean seed?\n");
  // Its bases count from the current folder.
  CHECK_THAT(said("echo 'base: small.yaml' | \"$RUNNER\" show /dev/stdin"),
             Contains("name: small  # small.yaml:1:7\n"));
  CHECK_THAT(said("grep -v ^name small.yaml | \"$RUNNER\" - --dry-run"),
             Contains("stdin: vit with"));
}

TEST_CASE("a pipe with a name of its own is not waited for") {
  const ConfigFolder folder(kSmallConfig);
  REQUIRE(mkfifo((folder / "pipe").c_str(), 0600) == 0);
  const Result result = shell("timeout --signal KILL 20 \"$RUNNER\" show pipe", folder.path());
  CHECK(result.code == 2);
  CHECK(result.err ==
        "error: pipe: is a named pipe, to which nobody may ever write; read it for this program: "
        "cat PIPE | runner -\n");
  CHECK_THAT(shell("cat small.yaml >pipe & \"$RUNNER\" show /dev/stdin <pipe", folder.path()).out,
             StartsWith("name: small"));
}

TEST_CASE("the home folder and variables stand in paths, and no folder is called ~") {
  const ConfigFolder folder(kSmallConfig);
  fs::create_directory(folder / "home");
  const auto run = [&](const std::vector<std::string>& arguments) {
    return runner(arguments, folder.path(),
                  {{"HOME", folder / "home"}, {"PLACE", folder / "home/place"}});
  };
  CHECK(run({"small.yaml", "--run-dir=~/x"}).code == 0);
  CHECK(fs::exists(folder / "home/x/model.safetensors"));
  CHECK(run({"show", "small.yaml", "model.weights=~/x/model.safetensors"}).code == 0);
  CHECK(run({"export", "~/x", "${env:PLACE}.safetensors"}).code == 0);
  CHECK(fs::exists(folder / "home/place.safetensors"));
  CHECK(run({"report", "~/x", "--output=~/r.html"}).code == 0);
  CHECK(fs::exists(folder / "home/r.html"));
  CHECK(run({"status", "~/x"}).code == 0);
  write_plain(folder / "b.yaml",
              "base: \"${env:PLACE}/../s.yaml\"\n"
              "model: {weights: ~/x/model.safetensors}\n");
  fs::create_directory(folder / "home/place");
  write_plain(folder / "home/s.yaml", kSmallConfig);
  const Result shown = run({"show", "b.yaml"});
  CHECK_THAT(shown.out, Contains("weights: " + (folder / "home/x/model.safetensors").string() +
                                 "  # b.yaml:2:18\n"));
  CHECK_FALSE(fs::exists(folder / "~"));
  CHECK(run({"small.yaml", "--run-dir=${env:NO_PLACE}/x"}).err ==
        "error: command line:1:1: the environment variable NO_PLACE is not set\n"
        "    1 | ${env:NO_PLACE}/x\n"
        "      | ^\n");
}

TEST_CASE("a value that is taken from another key has its origin and its type") {
  const ConfigFolder folder(kSmallConfig);
  write_plain(folder / "b.yaml",
              "base: small.yaml\nname: w-${model.hidden_d}-${optimizer}\n"
              "model: {mlp: {ratio: \"${model.n_heads}\"}}\n");
  const Result shown = folder.run({"show", "b.yaml", "model.n_heads=4", "seed=${training.epochs}"});
  CHECK_THAT(shown.out,
             StartsWith("name: w-8-adam  # b.yaml:2:7, w-${model.hidden_d}-${optimizer}\n"
                        "seed: 1  # command line, ${training.epochs}\n"));
  CHECK_THAT(shown.out, Contains("    ratio: 4  # b.yaml:3:22, ${model.n_heads}\n"));
  CHECK(folder.run({"b.yaml", "model.n_heads=4", "--run-dir", "run"}).code == 0);
  CHECK(json_of(folder / "run/metrics.json")["config"]["model"]["mlp"]["ratio"] == 4);
  CHECK(folder.run({"b.yaml", "model.mlp.ratio=${model.n_hed}", "--dry-run"}).err ==
        "error: command line:1:17: model.mlp.ratio: ${model.n_hed}: there is no such key\n"
        "    1 | model.mlp.ratio=${model.n_hed}\n"
        "      |                 ^ did you mean model.n_heads?\n");
}

TEST_CASE("a swept key, a cell's and a seed are followed by what refers to them") {
  const ConfigFolder folder(kSmallConfig);
  write_plain(folder / "b.yaml",
              "base: small.yaml\ndataset: {split_seed: \"${seed}\"}\n"
              "model: {mlp: {ratio: \"${model.n_heads}\"}}\n"
              "sweep:\n  cells:\n    - {model.n_heads: 4, note: \"heads ${model.n_heads}\"}\n"
              "    - {model.n_heads: 2}\n  seeds: [5, 6]\n");
  const Result result = folder.run({"sweep", "b.yaml", "--run-dir", "s", "--jobs", "1"});
  INFO(result.err);
  REQUIRE(result.code == 0);
  std::vector<std::string> seen;
  for (const auto& entry : fs::directory_iterator(folder / "s/trials")) {
    const Json config = json_of(entry.path() / "metrics.json")["config"];
    seen.push_back(fmt::format("{} {} {} {} {}", config["seed"].dump(),
                               config["dataset"]["split_seed"].dump(),
                               config["model"]["n_heads"].dump(),
                               config["model"]["mlp"]["ratio"].dump(), config["note"].dump()));
  }
  std::sort(seen.begin(), seen.end());
  CHECK(seen == std::vector<std::string>{"5 5 2 2 \"\"", "5 5 4 4 \"heads 4\"", "6 6 2 2 \"\"",
                                         "6 6 4 4 \"heads 4\""});
  REQUIRE(folder.run({"resume", "s", "seed=5..7"}).code == 0);
  const Json grown = json_of(folder / "s/sweep.json")["trials"];
  for (const Json& trial : grown) {
    const Json config = json_of(folder / "s" / trial["folder"].get<std::string>() / "metrics.json");
    CHECK(config["config"]["dataset"]["split_seed"] == trial["seed"]);
  }
  CHECK(grown.size() == 6);
}

TEST_CASE("a path that is not there is shown whole, with the rule that it was counted by") {
  const ConfigFolder folder(kSmallConfig);
  const std::string here = folder.path().string();
  CHECK(folder.run({"smal.yaml"}).err ==
        "error: smal.yaml: no such file (" + here +
            "/smal.yaml: a relative path counts from the current folder); did you mean "
            "small.yaml?\n");
  fs::create_directory(folder / "sub");
  write_plain(folder / "sub/b.yaml", "base: small.yaml\n");
  CHECK(folder.run({"sub/b.yaml"}).err ==
        "error: sub/b.yaml:1:7: base: no such file: " + here +
            "/sub/small.yaml\n"
            "    1 | base: small.yaml\n"
            "      |       ^ a relative path counts from the folder of the config that names it\n");
  CHECK_THAT(
      folder.run({"small.yaml", "model.weights=w.safetensors", "--dry-run"}).err,
      Contains("(" + here + "/w.safetensors: a relative path counts from the current folder)"));
  CHECK_THAT(folder.run({"small.yaml", "plugins=p.so", "--dry-run"}).err,
             Contains("(" + here + "/p.so: a relative path counts from the current folder)"));
}

}  // namespace
}  // namespace vitrine

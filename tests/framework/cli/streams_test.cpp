// What the program makes of its streams, its directory and the words before the verb.
#include <algorithm>

#include "framework/files/file.h"
#include "framework/images/encode.h"
#include "tests/framework/cli/support.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfig = R"(name: small
threads: 1
dataset: {type: digits, train: 32, test: 16}
model: {type: vit, n_patches: 4, n_blocks: 1, hidden_d: 8, n_heads: 2}
training: {epochs: 1, batch_size: 16}
)";

TEST_CASE("output that cannot be written is a failure") {
  const TemporaryFolder folder;
  const std::string message = "error: what was printed could not be written to standard output\n";
  for (const char* line :
       {"$RUNNER --help >/dev/full", "$RUNNER list >/dev/full", "$RUNNER list >&-"}) {
    CAPTURE(line);
    const Result result = shell(line, folder.path());
    CHECK(result.code == 1);
    CHECK(result.err == message);
  }
}

TEST_CASE("a run without standard streams writes into none of its files") {
  const TemporaryFolder folder;
  write_plain(folder / "small.yaml", kConfig);
  shell("$RUNNER small.yaml --run-dir open", folder.path());
  shell("$RUNNER small.yaml --run-dir closed <&- >&- 2>&-", folder.path());
  const auto lines = [&](const std::string& run) {
    const std::string text = read_file(folder / (run + "/log.txt"), 1 << 20);
    return std::count(text.begin(), text.end(), '\n');
  };
  CHECK(lines("closed") == lines("open"));
}

TEST_CASE("a directory that was deleted is told") {
  const TemporaryFolder folder;
  const Result result =
      shell("mkdir gone && cd gone && rmdir ../gone && $RUNNER list", folder.path());
  CHECK(result.code == 1);
  CHECK(result.err == "error: the current directory does not exist\n");
}

TEST_CASE("options before the verb") {
  const TemporaryFolder folder;
  CHECK(runner({"--trace", "list", "norm"}, folder.path()).code == 0);
  write_plain(folder / "small.yaml", kConfig);
  CHECK(runner({"--trace", "small.yaml", "--dry-run"}, folder.path()).code == 0);
  const Result result = runner({"--bogus", "small.yaml"}, folder.path());
  CHECK(result.code == 2);
  CHECK(result.err ==
        "error: --bogus: options follow the config or the verb; runner --help lists the verbs\n");
}

TEST_CASE("exports and pictures write over no file of a run") {
  const TemporaryFolder folder;
  write_plain(folder / "small.yaml", kConfig);
  REQUIRE(runner({"small.yaml", "--run-dir", "run"}, folder.path()).code == 0);
  const std::string model = read_file(folder / "run/model.safetensors", 1 << 24);
  const std::string wanted = " belongs to the run " + (folder / "run").string() +
                             " and is not written over; choose another name\n";
  Result result = runner({"export", "run", "run/model.safetensors"}, folder.path());
  CHECK(result.code == 2);
  CHECK(result.err == "error: run/model.safetensors" + wanted);
  result = runner({"plot", "positions", "-o", "run/metrics.json"}, folder.path());
  CHECK(result.code == 2);
  CHECK(result.err == "error: run/metrics.json" + wanted);
  CHECK(read_file(folder / "run/model.safetensors", 1 << 24) == model);
  CHECK(runner({"export", "run", "run/copy.safetensors"}, folder.path()).code == 0);
}

TEST_CASE("a limit of the size of files ends an export, and nothing of it is left") {
  const TemporaryFolder folder;
  write_plain(folder / "small.yaml", kConfig);
  REQUIRE(runner({"small.yaml", "--run-dir", "run"}, folder.path()).code == 0);
  const Result result = shell("ulimit -f 1; $RUNNER export run w.safetensors", folder.path());
  CHECK(result.code == 1);
  CHECK(result.err == "error: cannot write w.safetensors: File too large\n");
  CHECK(folder.count() == 2);
}

TEST_CASE("JSON is UTF-8 whatever the names of files are") {
  const TemporaryFolder folder;
  write_plain(folder / "small.yaml", kConfig);
  const std::string run = "r\xffn", shown = "r\uFFFDn";
  const auto json = [&](const std::vector<std::string>& arguments) {
    const Result result = runner(arguments, folder.path());
    INFO(result.err);
    REQUIRE(result.code == 0);
    return Json::parse(result.out);
  };
  CHECK(json({"small.yaml", "--run-dir", run, "--json"}).at("run") == shown);
  CHECK(json({"status", run, "--json"}).at(0).at("run") == shown);
  write_plain(folder / "\xfe.png", encode_png({28, 28, 1, std::vector<uint8_t>(28 * 28)}));
  CHECK(json({"predict", run, "\xfe.png", "--json"}).at(0).at("image") == "\uFFFD.png");
  fs::copy_file(VITRINE_BINARY_DIR "/test_plugin_good.so", folder / "\xff.so");
  bool found = false;
  for (const Json& component : json({"list", "--plugin", "\xff.so", "--json"})) {
    found |= component.at("origin").get<std::string>().find("\uFFFD.so") != std::string::npos;
  }
  CHECK(found);
  CHECK(json({"resume", run, "--json"}).at("run") == shown);
}

TEST_CASE("a model larger than memory is told without a stack trace") {
  const TemporaryFolder folder;
  write_plain(folder / "small.yaml", kConfig);
  const Result result = runner(
      {"small.yaml", "model.hidden_d=1000000", "model.n_blocks=10000", "--dry-run"}, folder.path());
  CHECK(result.code == 1);
  CHECK(without_sanitizer(result.err) ==
        "error: out of memory; a smaller training.batch_size or model needs less\n");
}

}  // namespace
}  // namespace vitrine

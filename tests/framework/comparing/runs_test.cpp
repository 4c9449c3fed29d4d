#include "framework/comparing/runs.h"

#include "framework/runs/lock.h"
#include "tests/catch.h"
#include "tests/framework/comparing/support.h"
#include "tests/framework/runs/support.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

std::vector<std::string> found(const std::vector<fs::path>& places) {
  std::vector<std::string> out;
  const FoundRuns found = find_all_runs({places.begin(), places.end()});
  for (const fs::path& run : found.runs) out.push_back(run.string());
  return out;
}

// As find_all_runs tells it: what links lead to.
std::string real(const fs::path& path) { return fs::canonical(path).string(); }

TEST_CASE("runs are found in folders, sweeps and links, each once", "[reports]") {
  const TemporaryFolder root;
  for (const char* run : {"base/2", "base/1", "sweep/7/trials/0001-a", "sweep/7/trials/0000-b"}) {
    write_run(root / run, example_run());
  }
  fs::create_directories(root / "sweep/7/build");
  write_plain(root / "sweep/7/sweep.json", "{}");
  fs::create_directory_symlink("1", root / "base/latest");
  fs::create_directory_symlink("..", root / "base/loop");
  const std::string one = real(root / "base/1"), two = real(root / "base/2");
  const std::string b = real(root / "sweep/7/trials/0000-b");
  const std::string a = real(root / "sweep/7/trials/0001-a");
  CHECK(found({root.path()}) == std::vector<std::string>{one, two, b, a});
  CHECK(found({root / "sweep/7"}) == std::vector<std::string>{b, a});
  CHECK(found({root / "base/latest"}) == std::vector<std::string>{one});
  CHECK(found({root / "base/2", root / "base/latest", root / "base"}) ==
        std::vector<std::string>{two, one});
}

TEST_CASE("a place without a run is refused", "[reports]") {
  const TemporaryFolder root;
  write_run(root / "1", example_run());
  fs::create_directory(root / "empty");
  const std::string folder = root.path().string();
  CHECK(error_of([&] {
          find_all_runs({folder + "/1", folder + "/3"});
        }) == "2: " + folder + "/3 is no run: there is no such directory; runs near it: " + folder +
                  "/1");
  CHECK(error_of([&] { find_all_runs({folder + "/empty"}); }) ==
        "2: " + folder +
            "/empty holds no run (no config.yaml, metrics.json or checkpoints); runs near it: " +
            folder + "/1");
}

TEST_CASE("a config is flat, and a component named by its key", "[reports]") {
  const Json config = Json::parse(
      R"({"seed": 1, "type": "x", "model": {"type": "vit", "mlp": {"type": "gelu", "ratio": 4},
          "n_patches": [7, 4], "tasks": [], "options": {}, "weights": null}})");
  CHECK(flat_config(config).dump() ==
        R"({"seed":1,"type":"x","model":"vit","model.mlp":"gelu","model.mlp.ratio":4,)"
        R"("model.n_patches":[7,4],"model.tasks":[],"model.options":{},"model.weights":null})");
}

TEST_CASE("values by the names that people know", "[reports]") {
  const TemporaryFolder root;
  write_run(root / "1", example_run(3, 0.75));
  const RunRecord run = read_run(root / "1");
  REQUIRE(run.error == "");
  CHECK(run.is_finished());
  CHECK(run.value("seed") == 3);
  CHECK(run.value("model.hidden_d") == 8);
  CHECK(run.value("model.mlp") == "gelu");
  CHECK(run.value("model.mlp.type") == "gelu");
  CHECK(run.value("model.parameters") == 1000);
  CHECK(run.value("test/accuracy") == 0.75);
  CHECK(run.value("seconds") == 0.5);
  CHECK(run.value("dataset.sha256") == std::string(64, 'b'));
  CHECK(run.value("environment.device") == "cpu");
  CHECK(run.value("status") == "finished");
  CHECK(run.value("exact") == true);
  CHECK(run.value("started") == "2026-11-22T10:15:00Z");
  CHECK(run.value("run") == (root / "1").string());
  CHECK_FALSE(run.value("model.hidden"));
  CHECK_FALSE(run.value("test/acuracy"));
  for (const std::string& name : run.names()) {
    CAPTURE(name);
    CHECK(run.value(name));
  }
}

TEST_CASE("a run without a summary shows its last epoch", "[reports]") {
  const TemporaryFolder root;
  Metrics metrics = example_run();
  metrics.status = RunStatus::kStopped;
  metrics.summary = metrics.test = Json::object();
  metrics.add_epoch({{"epoch", 2}, {"step", 12}, {"train/loss", 1.5}, {"seconds", 0.25}});
  write_run(root / "1", metrics);
  const RunRecord run = read_run(root / "1");
  CHECK(run.status == "stopped");
  CHECK(run.value("train/loss") == 1.5);
  CHECK(run.value("seconds") == 0.75);  // of both epochs
  CHECK_FALSE(run.value("test/accuracy"));
}

TEST_CASE("a run that says running without holding its lock was interrupted", "[reports]") {
  const TemporaryFolder root;
  Metrics metrics = example_run();
  metrics.status = RunStatus::kRunning;
  write_run(root / "1", metrics);
  CHECK(read_run(root / "1").status == "interrupted");
  const RunLock lock(root / "1");
  CHECK(read_run(root / "1").status == "running");
}

TEST_CASE("a run that was killed before its first metrics.json has its config", "[reports]") {
  const TemporaryFolder root;
  fs::create_directory(root / "1");
  CHECK(read_run(root / "1").status == "interrupted");
  write_plain(root / "1/config.yaml", "name: early\nmodel: {hidden_d: 8}\n");
  const RunRecord run = read_run(root / "1");
  CHECK(run.status == "interrupted");
  CHECK(run.metrics.name == "early");
  CHECK(run.value("model.hidden_d") == 8);
  write_plain(root / "1/config.yaml", "name: [1]\n");
  CHECK(read_run(root / "1").metrics.name == "");
}

TEST_CASE("a run that cannot be read is kept with the reason", "[reports]") {
  const TemporaryFolder root;
  for (const char* run : {"1", "2", "3"}) write_run(root / run, example_run());
  write_plain(root / "2/metrics.json", "{\"format\": 1, \"x\": \"\x1b");
  fs::create_directory(root / "4");
  write_plain(root / "4/config.yaml", "[1]");
  for (const size_t threads : {1, 3}) {
    const auto runs = read_runs({root.path().string()}, threads);
    REQUIRE(runs.size() == 4);
    CHECK(runs[0].is_readable());
    CHECK(runs[1].status == "unreadable");
    CHECK(runs[1].path == real(root / "2"));
    CHECK(runs[1].error ==
          real(root / "2") + "/metrics.json: invalid JSON at byte 21: unexpected \"\\x1b\"");
    CHECK(runs[1].value("status") == "unreadable");
    CHECK_FALSE(runs[1].value("seed"));
    CHECK(runs[2].is_readable());
    CHECK(runs[3].error == real(root / "4") + "/config.yaml: expected a mapping");
  }
}

}  // namespace
}  // namespace vitrine

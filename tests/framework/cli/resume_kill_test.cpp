#include <chrono>
#include <random>
#include <thread>

#include "tests/framework/cli/resumed_run.h"

// Runs that are stopped or killed anywhere, and go on.
namespace vitrine {
namespace {

namespace fs = std::filesystem;
using Folder = ResumedFolder;

TEST_CASE("a run stopped after every step gives the bits of one that never stopped") {
  const Folder folder;
  const fs::path whole = folder.whole();
  CHECK(checkpoint_steps(whole / "checkpoints").back() == kSteps);
  CHECK(folder.run({"small.yaml", "--run-dir", "parts", "--stop-after", "1"}).code == 75);
  for (int64_t step = 2; step < kSteps; ++step) {
    const Result result = folder.run({"resume", "parts", "--stop-after", std::to_string(step)});
    INFO("step " << step << ": " << result.err);
    REQUIRE(result.code == 75);
    CHECK(checkpoint_steps(folder / "parts/checkpoints").back() == step);
    CHECK(status_of(folder / "parts") == "stopped");
  }
  CHECK(folder.run({"resume", "parts"}).code == 0);
  CHECK(status_of(folder / "parts") == "finished");
  check_equal(folder / "parts", whole);
}

TEST_CASE("a run killed 20 times at random moments gives the bits of one never killed") {
  const Folder folder;
  const std::vector<std::string> often = {"training.epochs=40", "training.checkpoint.every=1 steps",
                                          "schedule={type: constant, warmup: 2 steps}"};
  const fs::path whole = folder.whole(often);
  std::mt19937 generator(20);
  int kills = 0, finished = 0;
  while (kills < 20 || finished == 0) {
    const std::string name = "killed" + std::to_string(finished);
    std::vector<std::string> arguments = {"small.yaml", "--run-dir", name, "--resume"};
    arguments.insert(arguments.end(), often.begin(), often.end());
    Process process(runner_command(arguments), folder.path(), {});
    if (kills < 20) {
      const auto delay = std::chrono::milliseconds(300 + generator() % 900);
      std::this_thread::sleep_for(delay);
      process.send(SIGKILL);
    }
    const Result result = process.wait();
    if (result.code == 128 + SIGKILL) {
      ++kills;
      continue;
    }
    INFO(result.err);
    REQUIRE(result.code == 0);
    check_equal(folder / name, whole);
    ++finished;
  }
}

// The checkpoint of the last step is committed before metrics.json tells of it.
TEST_CASE(
    "a run killed between its last checkpoint and metrics.json gives the bits of one never "
    "killed") {
  const Folder folder;
  const fs::path whole = folder.whole(), run = folder / "run";
  REQUIRE(folder.run({"small.yaml", "--run-dir", "run", "--stop-after", "14"}).code == 75);
  const std::string metrics = bytes_of(run / "metrics.json");
  REQUIRE(folder.run({"resume", "run"}).code == 0);
  fs::remove(run / "model.safetensors");
  fs::remove(run / "test.json");
  write_plain(run / "metrics.json", metrics);
  CHECK(folder.run({"resume", "run"}).code == 0);
  check_equal(run, whole);
}

}  // namespace
}  // namespace vitrine

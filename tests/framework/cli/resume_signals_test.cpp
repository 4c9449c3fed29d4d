#include "tests/framework/cli/resumed_run.h"

// Signals in each part of a run.
namespace vitrine {
namespace {

namespace fs = std::filesystem;
using Folder = ResumedFolder;

TEST_CASE("signals stop a run resumably, each with its exit code") {
  const Folder folder;
  const std::vector<std::string> longer = {"training.epochs=100"};
  const fs::path whole = folder.whole(longer);
  const std::vector<std::pair<int, int>> signals = {
      {SIGINT, 130}, {SIGTERM, 143}, {SIGHUP, 143}, {SIGUSR1, 75}};
  for (const auto& [signal, code] : signals) {
    const std::string name = "signal" + std::to_string(signal);
    Process process(runner_command({"small.yaml", "--run-dir", name, longer[0]}), folder.path(),
                    {});
    const Result result = signal_during(process, folder / name, signal);
    INFO(name << ": " << result.out << result.err);
    CHECK(result.code == code);
    CHECK(status_of(folder / name) == "stopped");
    CHECK_THAT(result.out, Contains("; go on with: runner resume " + name + "\n"));
    CHECK(folder.run({"resume", name}).code == 0);
    check_equal(folder / name, whole);
  }
}

TEST_CASE("a signal during the final test stops a run resumably") {
  struct Case {
    int signal, code, steps;
    std::string end;
  };
  // The second one ends in the midst of an epoch.
  for (const Case& c :
       {Case{SIGTERM, 143, 5, "training.epochs=1"}, Case{SIGUSR1, 75, 3, "training.max_steps=3"}}) {
    const Folder folder;
    const std::string large = "dataset.test=15000";
    const fs::path whole = folder.whole({c.end, large}), run = folder / "run";
    Process process(runner_command({"small.yaml", "--run-dir", "run", c.end, large}), folder.path(),
                    {});
    const Result result = signal_during(process, run, c.signal, c.steps);
    INFO(result.out << result.err);
    CHECK(result.code == c.code);
    CHECK(status_of(run) == "stopped");
    CHECK_FALSE(fs::exists(run / "test.json"));
    CHECK_THAT(result.out, Contains("\nstopped at step " + std::to_string(c.steps) +
                                    "; go on with: runner resume run\n"));
    CHECK(folder.run({"resume", "run"}).code == 0);
    check_equal(run, whole);
  }
}

TEST_CASE("a signal during validation stops a run resumably") {
  const Folder folder;
  const std::vector<std::string> large = {
      "training.epochs=1",        "dataset.train=15032",
      "dataset.validation=15000", "training.checkpoint.every=1 steps",
      "training.accumulate=1",    "schedule.warmup=1 steps"};
  const fs::path whole = folder.whole(large);
  std::vector<std::string> command = {"small.yaml", "--run-dir", "run"};
  command.insert(command.end(), large.begin(), large.end());
  Process process(runner_command(command), folder.path(), {});
  const Result result = signal_during(process, folder / "run", SIGTERM);
  INFO(result.out << result.err);
  CHECK(result.code == 143);
  CHECK(status_of(folder / "run") == "stopped");
  CHECK(result.out.find("epoch 1 of 1") == std::string::npos);
  CHECK(folder.run({"resume", "run"}).code == 0);
  check_equal(folder / "run", whole);
}

}  // namespace
}  // namespace vitrine

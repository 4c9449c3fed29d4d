#include "framework/sweeps/trial.h"

#include "framework/files/file.h"
#include "framework/runs/lock.h"
#include "tests/framework/sweeps/support.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

std::string status_of(const SweepFolder& folder) {
  const TrialState state = read_trial(folder.run(0), "validation/accuracy");
  return to_string(state.status) + (state.error.empty() ? "" : ": " + state.error);
}

TEST_CASE("where a trial stands is told by its folder alone") {
  const SweepFolder folder(1, "{}");
  const auto output = [&](const std::string& text) {
    write_plain(folder.run(0) / "output.txt", text);
  };
  CHECK(status_of(folder) == "waiting");
  output("");
  CHECK(status_of(folder) == "interrupted");
  {
    const RunLock lock(folder.run(0));
    CHECK(status_of(folder) == "running");
  }
  output("error: MNIST was not found\nand so on\n");
  record_exit_code(folder.run(0), 3);
  CHECK(status_of(folder) == "failed: MNIST was not found\nand so on");
  output("");
  record_exit_code(folder.run(0), 70);
  CHECK(status_of(folder) == "failed: exit code 70");
  output("runner: cannot open shared object file\n");
  record_exit_code(folder.run(0), 127);
  CHECK(status_of(folder) == "failed: runner: cannot open shared object file (exit code 127)");
  output("");
  record_signal(folder.run(0), 9);
  CHECK(status_of(folder) == "interrupted: killed by signal 9 (Killed)");
  output("error: cannot write x: No space left on device\n");
  record_exit_code(folder.run(0), 1);
  CHECK(status_of(folder) == "interrupted: cannot write x: No space left on device");
  // Started again, it has another end.
  output("error: disk full\nexit code 1\ngoing on\n");
  CHECK(status_of(folder) == "interrupted");

  folder.write(0, RunStatus::kRunning, {0.1});
  CHECK(status_of(folder) == "interrupted");
  folder.write(0, RunStatus::kStopped, {0.1});
  CHECK(status_of(folder) == "stopped");
  output("error: the loss is not finite\nexit code 4\n");
  folder.write(0, RunStatus::kDiverged, {0.1});
  CHECK(status_of(folder) == "diverged: the loss is not finite");
  folder.write(0, RunStatus::kFinished, {0.1});
  CHECK(status_of(folder) == "finished");
}

TEST_CASE("the value of a trial is that of its best epoch") {
  const SweepFolder folder(1, "{}");
  folder.write(0, RunStatus::kRunning, {0.1, 0.5, 0.3});
  const TrialState state = read_trial(folder.run(0), "validation/accuracy");
  CHECK(state.epoch == 3);
  CHECK(state.step == 30);
  CHECK(state.best(true) == 0.5);
  CHECK(state.best(false) == 0.1);
  CHECK(state.best(true, 1) == 0.1);
  CHECK_FALSE(state.best(true, 0));
  CHECK_FALSE(read_trial(folder.run(0), "validation/loss").best(false));
}

TEST_CASE("of a trial that is running still only the epochs that are new are read") {
  const SweepFolder folder(1, "{}");
  const fs::path metrics = folder.run(0) / "metrics.json", rows = folder.run(0) / "metrics.jsonl";
  const auto row = [](int epoch) {
    return fmt::format(
        "{{\"kind\":\"epoch\",\"epoch\":{},\"step\":{},\"validation/accuracy\":0.{}}}\n", epoch,
        10 * epoch, epoch);
  };
  folder.write(0, RunStatus::kRunning, {0.1, 0.2});
  std::optional<RunLock> lock(folder.run(0));
  TrialState state = read_trial(folder.run(0), "validation/accuracy");
  CHECK(state.values == std::vector<double>{0.1, 0.2});

  // The file is damaged, but is known.
  const auto time = fs::last_write_time(metrics);
  write_plain(metrics, "{");
  fs::last_write_time(metrics, time);
  write_plain(rows, row(1) + row(2) + row(3) + row(4));
  const auto update = [&] { update_trial(state, folder.run(0), "validation/accuracy"); };
  update();
  CHECK(to_string(state.status) == "running");
  CHECK(state.epoch == 4);
  CHECK(state.step == 40);
  CHECK(state.values == std::vector<double>{0.1, 0.2, 0.3, 0.4});

  // Resumed from an earlier checkpoint, it has written the file again.
  folder.write(0, RunStatus::kRunning, {0.1});
  fs::last_write_time(metrics, time + std::chrono::seconds(1));
  write_plain(rows, row(1));
  update();
  CHECK(state.values == std::vector<double>{0.1});

  write_plain(rows, row(1) + row(2));
  lock.reset();
  update();
  CHECK(to_string(state.status) == "interrupted");
  CHECK(state.values == std::vector<double>{0.1, 0.2});
}

TEST_CASE("the end of a long output is enough") {
  const SweepFolder folder(1, "{}");
  std::string text = "error: of an earlier start\n";
  for (int i = 0; i < 40'000; ++i) text += "epoch 1 of 9: loss 1.0000, accuracy 10 %\n";
  write_plain(folder.run(0) / "output.txt", text + "error: the disk is full\nexit code 1\n");
  CHECK(status_of(folder) == "failed: the disk is full");
  write_plain(folder.run(0) / "output.txt", text + "exit code 70\n");
  CHECK(status_of(folder) == "failed: exit code 70");
}

TEST_CASE("one damaged trial hides no other") {
  const SweepFolder folder(2, "{}");
  write_plain(folder.run(0) / "metrics.json", "{");
  folder.write(1, RunStatus::kFinished, {0.1});
  const Sweep sweep = Sweep::open(folder.path());
  CHECK(sweep.state(0).status == TrialStatus::kFailed);
  CHECK_THAT(sweep.state(0).error, StartsWith(folder.run(0) / "metrics.json"));
  CHECK(sweep.state(1).status == TrialStatus::kFinished);
}

TEST_CASE("a folder without a sweep, and a plan that is damaged, are refused") {
  const TemporaryFolder empty;
  CHECK(message_of(ExitCode::kUsage, [&] { Sweep::open(empty.path()); }) ==
        empty.path().string() + " holds no sweep (no sweep.yaml and plan.json)");
  const SweepFolder folder(1, "{}");
  const std::string plan = folder / "plan.json";
  const auto refused = [&](const std::string& text) {
    write_plain(plan, text);
    return message_of(ExitCode::kCheckpoint, [&] { Sweep::open(folder.path()); });
  };
  CHECK(refused(R"({"format": 2})") == plan + ": written by another version");
  CHECK_THAT(refused(R"({"format": 1, "has_best": true, "jobs": 1, "left_out": [],
      "trials": [{"folder": "../x"}]})"),
             StartsWith(plan + ": trials[0]: folder is no name of a folder"));
}

TEST_CASE("a plan without trials, or with numbers that cannot be meant, is refused in words") {
  const SweepFolder folder(2, "{method: asha, trials: 2}");
  const std::string file = folder / "plan.json";
  const Json plan = Json::parse(read_file(file, 1 << 20));
  const auto refused = [&](const std::string& pointer, const Json& value) {
    Json changed = plan;
    changed[Json::json_pointer(pointer)] = value;
    write_plain(file, changed.dump());
    const std::string text = message_of(ExitCode::kCheckpoint, [&] { Sweep::open(folder.path()); });
    CHECK_THAT(text, StartsWith(file + ": "));
    return text.substr(file.size() + 2);
  };
  CHECK(refused("/trials", Json::array()) == "trials is empty");
  CHECK(refused("/trials", 3) == "trials: expected an array, got 3");
  CHECK(refused("/trials/0/epochs", 4'000'000'000'000'000'000) ==
        "trials[0]: epochs: expected a whole number at most 1000000000, got 4000000000000000000");
  CHECK_THAT(refused("/trials/0/epochs", 0),
             StartsWith("trials[0]: epochs: expected an integer of at least 1"));
  CHECK_THAT(refused("/trials/1/steps_per_epoch", 1'000'000'000'001),
             StartsWith("trials[1]: steps_per_epoch: expected a whole number at most "));
  CHECK_THAT(refused("/trials/0/threads", -1), StartsWith("trials[0]: threads: "));
  CHECK(refused("/trials/0/cost", -1) == "trials[0]: cost is below 0");
  CHECK(refused("/trials/1/folder", "0001-cell") == "trials[1]: folder is that of another trial");
  std::string text = plan.dump();
  text.insert(1, "\"id\": " + std::string(100'000, '[') + std::string(100'000, ']') + ", ");
  write_plain(file, text);
  CHECK_THAT(message_of(ExitCode::kCheckpoint, [&] { Sweep::open(folder.path()); }),
             StartsWith(file + ": "));
}

TEST_CASE("two runners on one sweep: the second is refused") {
  const SweepFolder folder(1, "{}");
  const Sweep first = Sweep::open_locked(folder.path());
  CHECK_THAT(message_of(ExitCode::kFailed, [&] { Sweep::open_locked(folder.path()); }),
             StartsWith("another runner (process "));
}

}  // namespace
}  // namespace vitrine

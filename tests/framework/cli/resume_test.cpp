#include <chrono>
#include <random>
#include <thread>

#include "framework/files/file.h"
#include "framework/files/json.h"
#include "framework/files/sha256.h"
#include "framework/runs/checkpoint.h"
#include "framework/runs/metrics.h"
#include "framework/runs/run_directory.h"
#include "tests/framework/cli/results.h"
#include "tests/framework/cli/support.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

// 148 images in batches of 16, two a step: 15 steps, the last of each epoch ragged. Dropout and
// drop_path draw from the generator at every step.
constexpr const char* kConfig = R"(name: small
seed: 3
threads: 1
dataset: {type: digits, train: 180, test: 64, validation: 32, transforms: [random_shift]}
model:
  type: vit
  n_patches: 4
  n_blocks: 2
  hidden_d: 8
  n_heads: 2
  block: {type: pre_norm, dropout: 0.1, drop_path: 0.1}
optimizer: {type: adam, lr: 0.01}
schedule: {type: cosine, warmup: 2 steps}
training: {epochs: 3, batch_size: 16, accumulate: 2, ema_decay: 0.9, log_every: 3,
           checkpoint: {every: 2 steps, keep: 2}}
)";
constexpr int64_t kSteps = 15;

std::string status_of(const fs::path& run) {
  return Json::parse(bytes_of(run / "metrics.json")).at("status");
}

class Folder : public ConfigFolder {
 public:
  Folder() : ConfigFolder(kConfig) {}

  // The same experiment, never stopped.
  fs::path whole(std::vector<std::string> overrides = {}) const {
    overrides.insert(overrides.begin(), {"small.yaml", "--run-dir", "whole"});
    const Result result = run(overrides);
    INFO(result.err);
    REQUIRE(result.code == 0);
    return *this / "whole";
  }
};

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
      "training.epochs=1", "dataset.train=15032", "dataset.validation=15000",
      "training.checkpoint.every=1 steps", "training.accumulate=1"};
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

TEST_CASE("a run without a checkpoint starts at step 0") {
  const Folder folder;
  const fs::path whole = folder.whole();
  REQUIRE(folder.run({"small.yaml", "--run-dir", "early", "--stop-after", "1"}).code == 75);
  fs::remove_all(folder / "early/checkpoints");
  const std::string metrics = bytes_of(folder / "early/metrics.json");
  const Result refused = folder.run({"resume", "early"});
  CHECK(refused.code == 5);
  CHECK(
      refused.err ==
      "error: early/checkpoints: the run's checkpoints are gone, step-00000001 and all before it; "
      "start a new run\n");
  CHECK(bytes_of(folder / "early/metrics.json") == metrics);
  fs::remove(folder / "early/metrics.json");  // as if killed before it had any
  const Result result = folder.run({"resume", "early"});
  CHECK(result.code == 0);
  CHECK_THAT(result.out, StartsWith("no checkpoint yet: the run starts at step 0\n"));
  check_equal(folder / "early", whole);
}

TEST_CASE("resuming a finished run changes no file") {
  const Folder folder;
  const fs::path whole = folder.whole();
  std::map<std::string, std::string> before, after;
  const auto collect = [&](std::map<std::string, std::string>& out) {
    for (const auto& entry : fs::recursive_directory_iterator(whole)) {
      if (entry.is_regular_file()) out[entry.path()] = sha256_hex(bytes_of(entry.path()));
    }
  };
  collect(before);
  const Result result = folder.run({"resume", "whole"});
  CHECK(result.code == 0);
  CHECK_THAT(result.out, StartsWith("whole is finished; training.epochs=N takes it further\n"));
  CHECK(folder.run({"small.yaml", "--run-dir", "whole", "--resume"}).code == 0);
  collect(after);
  CHECK(before == after);
}

TEST_CASE("training.epochs takes a finished run to the bits of a longer one") {
  const Folder folder;
  const std::string constant = "schedule={type: constant, warmup: 2 steps}";
  const fs::path whole = folder.whole({constant});
  REQUIRE(folder.run({"small.yaml", "--run-dir", "further", constant, "training.epochs=1"}).code ==
          0);
  CHECK(folder.run({"resume", "further", "training.epochs=3"}).code == 0);
  check_equal(folder / "further", whole);
}

TEST_CASE("a run whose schedule depends on the total is inexact once that changes") {
  const Folder folder;
  REQUIRE(folder.run({"small.yaml", "--run-dir", "run", "training.epochs=1"}).code == 0);
  const Result same = folder.run({"resume", "run", "training.max_steps=5"});
  CHECK(same.code == 0);
  CHECK(same.err == "");
  const Result result = folder.run({"resume", "run", "training.epochs=3", "training.max_steps=12"});
  CHECK(result.code == 0);
  CHECK(
      result.err ==
      "warning: this run goes on with another value of total_steps (12, was 5): its results are no "
      "longer exact\n");
  CHECK(Json::parse(bytes_of(folder / "run/metrics.json")).at("exact") == false);
}

TEST_CASE("a run under way cannot end before the step that it is at") {
  const Folder folder;
  REQUIRE(folder.run({"small.yaml", "--run-dir", "run", "--stop-after", "7"}).code == 75);
  const std::string before = bytes_of(folder / "run/metrics.json");
  for (const char* end : {"training.epochs=1", "training.max_steps=5"}) {
    const Result result = folder.run({"resume", "run", end});
    CHECK(result.code == 5);
    CHECK(result.err ==
          "error: run: training.epochs and training.max_steps now end at step 5, and this run is "
          "at step 7 already; it can only be taken further\n");
  }
  CHECK(bytes_of(folder / "run/metrics.json") == before);
}

TEST_CASE("a dry run with --resume leaves the run as it is") {
  const Folder folder;
  REQUIRE(folder.run({"small.yaml", "--run-dir", "run", "--stop-after", "7"}).code == 75);
  const std::string before = bytes_of(folder / "run/metrics.json");
  const Result result = folder.run({"small.yaml", "--run-dir", "run", "--resume", "--dry-run"});
  CHECK(result.code == 0);
  CHECK(result.err == "");
  CHECK_THAT(result.out, EndsWith("\ndry run: config, data, model and one step are sound; nothing "
                                  "was kept\n"));
  CHECK(bytes_of(folder / "run/metrics.json") == before);
}

TEST_CASE(
    "a run that max_steps ended in the midst of an epoch is taken to the bits of a longer one") {
  const Folder folder;
  const std::string constant = "schedule={type: constant, warmup: 2 steps}";
  const fs::path whole = folder.whole({constant});
  REQUIRE(folder.run({"small.yaml", "--run-dir", "run", constant, "training.max_steps=7"}).code ==
          0);
  const Result result = folder.run({"resume", "run", "--unset", "training.max_steps"});
  CHECK(result.code == 0);
  CHECK(result.err == "");
  check_equal(folder / "run", whole);
}

TEST_CASE("--run-dir with --resume starts a run, then goes on with it") {
  const Folder folder;
  const fs::path whole = folder.whole();
  const std::vector<std::string> command = {"small.yaml", "--run-dir", "job", "--resume"};
  std::vector<std::string> limited = command;
  limited.insert(limited.end(), {"--stop-after", "7"});
  CHECK(folder.run(limited).code == 75);
  const Result result = folder.run(command);
  CHECK(result.code == 0);
  CHECK_THAT(result.out, StartsWith("going on from step-00000007 (step 7 of 15)\n"));
  check_equal(folder / "job", whole);
}

TEST_CASE("another number of threads on resume warns and is recorded as inexact") {
  const Folder folder;
  REQUIRE(folder.run({"small.yaml", "--run-dir", "run", "--stop-after", "3"}).code == 75);
  const Result result = folder.run({"resume", "run", "threads=2"});
  CHECK(result.code == 0);
  CHECK(result.err ==
        "warning: this run goes on with another value of threads (2, was 1): its results are no "
        "longer "
        "exact\n");
  CHECK(Json::parse(bytes_of(folder / "run/metrics.json")).at("exact") == false);
}

TEST_CASE("resume takes the options of train") {
  const Folder folder;
  REQUIRE(folder.run({"small.yaml", "--run-dir", "run", "--stop-after", "3", "note=first"}).code ==
          75);
  const Result result = folder.run(
      {"resume", "run", "--threads", "2", "--device", "cpu", "--unset", "note", "--json"});
  CHECK(result.code == 0);
  const Json metrics = Json::parse(bytes_of(folder / "run/metrics.json"));
  CHECK(Json::parse(result.out) ==
        Json({{"run", "run"}, {"exit_code", 0}, {"summary", metrics.at("summary")}}));
  CHECK(metrics.at("environment").at("threads") == 2);
  CHECK(metrics.at("environment").at("device") == "cpu");
  CHECK(metrics.at("note") == "");
}

TEST_CASE("other kernels of libtorch on resume warn and are recorded as inexact") {
  const Folder folder;
  REQUIRE(folder.run({"small.yaml", "--run-dir", "run", "--stop-after", "3"}).code == 75);
  const std::string was =
      Json::parse(bytes_of(folder / "run/metrics.json")).at("environment").at("torch_isa");
  if (was == "default") {
    WARN("skipped: libtorch has no faster kernels for this CPU");
    return;
  }
  const Result result =
      runner({"resume", "run"}, folder.path(), {{"ATEN_CPU_CAPABILITY", "default"}});
  CHECK(result.code == 0);
  CHECK(result.err ==
        "warning: this run goes on with another value of torch_isa (\"default\", was \"" + was +
            "\"): its results are no longer exact\n");
  CHECK(Json::parse(bytes_of(folder / "run/metrics.json")).at("exact") == false);
}

TEST_CASE("another build on resume, be it one more plug-in, warns and is recorded as inexact") {
  const Folder folder;
  REQUIRE(folder.run({"small.yaml", "--run-dir", "run", "--stop-after", "3"}).code == 75);
  const auto build = [&] {
    return Json::parse(bytes_of(folder / "run/metrics.json"))
        .at("environment")
        .at("build")
        .get<std::string>();
  };
  const std::string was = build();
  const Result result =
      folder.run({"resume", "run", "plugins=" VITRINE_BINARY_DIR "/test_plugin_good.so"});
  CHECK(result.code == 0);
  CHECK(build() != was);
  CHECK(result.err == "warning: this run goes on with another value of build (\"" + build() +
                          "\", was \"" + was + "\"): its results are no longer exact\n");
  CHECK(Json::parse(bytes_of(folder / "run/metrics.json")).at("exact") == false);
}

TEST_CASE("resume refuses what would make it another experiment") {
  const Folder folder;
  REQUIRE(folder.run({"small.yaml", "--run-dir", "run", "--stop-after", "3"}).code == 75);
  const Result result = folder.run({"resume", "run", "seed=4"});
  CHECK(result.code == 5);
  CHECK(result.err ==
        "error: run/config.yaml: seed cannot change in a run under way; start a new run for it\n");
  CHECK(status_of(folder / "run") == "stopped");
}

}  // namespace
}  // namespace vitrine

#include "framework/files/file.h"
#include "framework/files/json.h"
#include "framework/runs/checkpoint.h"
#include "framework/runs/metrics.h"
#include "framework/runs/run_directory.h"
#include "tests/framework/cli/resumed_run.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;
using Folder = ResumedFolder;

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
  CHECK_THAT(result.out, EndsWith("\ndry run: config, data, model, one step and a test of 64 "
                                  "images are sound; nothing was kept\n"));
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
  REQUIRE(
      folder.run({"small.yaml", "backend=layers", "--run-dir", "run", "--stop-after", "3"}).code ==
      75);
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
  CHECK(result.err == "loading the plug-in " VITRINE_BINARY_DIR
                      "/test_plugin_good.so\nwarning: this run goes on with another value of build "
                      "(\"" +
                          build() + "\", was \"" + was + "\"): its results are no longer exact\n");
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

#include <set>

#include "framework/files/file.h"
#include "framework/files/records.h"
#include "tests/framework/cli/support.h"

// Finished runs as event files.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

// The folders that hold event files, below `folder`.
std::set<std::string> told_in(const fs::path& folder) {
  std::set<std::string> out;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file())
      out.insert(entry.path().parent_path().lexically_relative(folder).string());
  }
  return out;
}

size_t records_in(const fs::path& folder) {
  size_t out = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const std::string bytes = bytes_of(entry.path());
    std::string_view rest = bytes;
    while (take_record(rest)) ++out;
    CHECK(rest.empty());
  }
  return out;
}

TEST_CASE("export --to tensorboard converts a run, several, and the trials of a sweep") {
  const Desk desk;
  desk.train("run");
  REQUIRE(desk.run({"a.yaml", "training.epochs=2", "--run-dir", "two"}).code == 0);
  const Result one = desk.run({"export", "run", "one", "--to", "tensorboard"});
  CHECK(one.err == "");
  CHECK(one.out == "wrote one: 1 run for tensorboard --logdir one\n");
  CHECK(told_in(desk / "one") == std::set<std::string>{".", "steps"});
  // Of each file the version; the start, one epoch, the end.
  CHECK(records_in(desk / "one") == 6);
  CHECK(records_in(desk / "one/steps") == 2);
  REQUIRE(desk.run({"sweep", "a.yaml", "seed=0,1", "--run-dir", "sweep"}).code == 0);
  const Result all = desk.run({"export", "run", "two", "sweep", "all", "--to", "tensorboard"});
  CHECK(all.out == "wrote all: 4 runs for tensorboard --logdir all\n");
  CHECK(told_in(desk / "all") ==
        std::set<std::string>{"run", "run/steps", "sweep/trials/0001-a-seed-0",
                              "sweep/trials/0001-a-seed-0/steps", "sweep/trials/0002-a-seed-1",
                              "sweep/trials/0002-a-seed-1/steps", "two", "two/steps"});
  CHECK(records_in(desk / "all/two") == 7);
}

TEST_CASE("a test.json that no test writes is a mistake of the data") {
  const Desk desk;
  desk.train("run");
  write_plain(desk / "run/test.json",
              R"({"chw": [1, 28, 28], "tasks": {"class": {"worst": [{"index": 1, "file": 1}]}}})");
  CHECK(desk.error(ExitCode::kData, {"export", "run", "out", "--to", "tensorboard"}) ==
        "error: run/test.json: is not what a test writes\n");
}

TEST_CASE("what cannot be exported is told, and nothing is written over") {
  const Desk desk;
  desk.train("run");
  const auto refused = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "export");
    return desk.error(ExitCode::kUsage, words);
  };
  CHECK_THAT(refused({"nowhere", "events", "--to", "tensorboard"}),
             StartsWith("error: nowhere is no run: there is no such directory") &&
                 Contains(desk.counted("nowhere")));
  CHECK_FALSE(fs::exists(desk / "events"));
  CHECK(refused({"run", "run", "--to", "tensorboard"}) ==
        "error: run is not empty: event files are written into a folder of their own, since "
        "TensorBoard shows all that lie in one as one run\n");
  CHECK(refused({"run", "--to", "tensorboard"}) ==
        "error: DIR is required: RUN... DIR --to tensorboard\n");
  CHECK(refused({"run"}) == "error: FILE is required: RUN-OR-MODEL FILE\n");
  CHECK(refused({"run", "other", "x.safetensors"}) ==
        "error: weights of one run are exported at a time: RUN-OR-MODEL FILE\n");
  CHECK_THAT(refused({"run", "x", "--to", "tensorboard", "--layout", "timm"}),
             StartsWith("error: --layout excludes --to; "));
  CHECK_THAT(refused({"run", "x", "--to", "wandb"}), Contains("tensorboard"));
  fs::create_directory(desk / "empty");
  CHECK(desk.run({"export", "run", "empty", "--to", "tensorboard"}).code == 0);
}

TEST_CASE("a run that cannot be read hides no other") {
  const Desk desk;
  desk.train("runs/a");
  desk.train("runs/b");
  write_file_atomically(desk / "runs/a/metrics.json", "{");
  const Result result = desk.run({"export", "runs", "events", "--to", "tensorboard"});
  CHECK(result.code == 0);
  CHECK_THAT(result.err, StartsWith("warning: runs/a/metrics.json: "));
  CHECK(result.out == "wrote events: 1 run for tensorboard --logdir events\n");
  CHECK(told_in(desk / "events") == std::set<std::string>{"b", "b/steps"});
}

}  // namespace
}  // namespace vitrine

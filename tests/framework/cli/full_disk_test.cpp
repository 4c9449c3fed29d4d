#include <algorithm>

#include "framework/runs/checkpoint.h"
#include "framework/runs/metrics.h"
#include "tests/framework/cli/support.h"
#include "tests/small_disk.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

TEST_CASE("A full disk ends a run; its last checkpoint survives and is gone on from") {
  const Desk desk;
  fs::create_directory(desk / "disk");
  const SmallDisk disk(desk / "disk", 600);  // of which pictures of the test take 256
  if (!disk.mounted()) return;
  REQUIRE(desk.run({"a.yaml", "--run-dir", "disk/run", "--stop-after", "1"}).code == 75);
  // All but a few blocks, which the log and the metrics may take.
  const uint64_t room = fs::space(desk / "disk").available;
  desk.write("disk/ballast", std::string(room - 3 * 4096, 'x'));
  const Result full = desk.run({"resume", "disk/run"});
  CHECK(full.code == 1);
  CHECK(full.err ==
        "error: cannot write disk/run/checkpoints/step-00000003.safetensors: No space left on "
        "device\n");
  CHECK(checkpoint_steps(desk / "disk/run/checkpoints") == std::vector<int64_t>{1});
  fs::remove(desk / "disk/ballast");
  const Result result = desk.run({"resume", "disk/run"});
  CHECK(result.err == "");
  CHECK(result.code == 0);
  CHECK(Metrics::read(desk / "disk/run/metrics.json").status == RunStatus::kFinished);
}

TEST_CASE("A full disk under a logger ends it with one warning, and the run goes on") {
  const Desk desk;
  fs::create_directories(desk / "run/tensorboard");
  const SmallDisk disk(desk / "run/tensorboard", 24);
  if (!disk.mounted()) return;
  const Result result = desk.run({"a.yaml", "loggers=[tensorboard, csv]", "training.epochs=4",
                                  "training.log_every=1", "--run-dir", "run"});
  CHECK(result.code == 0);
  const std::string warning = "warning: loggers: tensorboard: cannot write run/tensorboard/";
  CHECK_THAT(result.err, StartsWith(warning));
  CHECK_THAT(result.err, EndsWith(": No space left on device; the run goes on without it\n"));
  CHECK(result.err.find("warning:", 1) == std::string::npos);
  const std::string table = bytes_of(desk / "run/csv/epochs.csv");
  CHECK(std::count(table.begin(), table.end(), '\n') == 5);
  REQUIRE(desk.run({"a.yaml", "training.epochs=4", "--run-dir", "plain"}).code == 0);
  CHECK(bytes_of(desk / "run/model.safetensors") == bytes_of(desk / "plain/model.safetensors"));
}

TEST_CASE("A full disk ends the making of a sweep, which is made once there is room") {
  const Desk desk;
  fs::create_directory(desk / "disk");
  int kibibytes = 4000;  // what the runs write, and the program, which sanitizers make large
  for (const char* part : {"runner", "libvitrine_core.so", "libvitrine_engine.so"})
    kibibytes += static_cast<int>(fs::file_size(fs::path(VITRINE_BINARY_DIR) / part) / 1024);
  const SmallDisk disk(desk / "disk", kibibytes);
  if (!disk.mounted()) return;
  desk.write("disk/ballast", std::string((static_cast<size_t>(kibibytes) - 300) * 1024, 'x'));
  const std::vector<std::string> command = {"sweep", "a.yaml", "seed=0", "--run-dir", "disk/sweep"};
  CHECK(desk.error(ExitCode::kFailed, command) == "error: cannot write " +
                                                      (desk / "disk/sweep/build/runner").string() +
                                                      ": No space left on device\n");
  CHECK_FALSE(fs::exists(desk / "disk/sweep/build"));
  fs::remove(desk / "disk/ballast");
  CHECK(desk.run(command).code == 0);
}

TEST_CASE("A full disk pauses a sweep, which goes on once there is room") {
  const Desk desk;
  fs::create_directory(desk / "disk");
  int kibibytes = 8000;
  for (const char* part : {"runner", "libvitrine_core.so", "libvitrine_engine.so"})
    kibibytes += static_cast<int>(fs::file_size(fs::path(VITRINE_BINARY_DIR) / part) / 1024);
  const SmallDisk disk(desk / "disk", kibibytes);
  if (!disk.mounted()) return;
  const std::vector<std::string> more = {"resume", "disk/sweep", "seed=0..4", "--jobs", "1"};
  REQUIRE(desk.run({"sweep", "a.yaml", "seed=0", "--run-dir", "disk/sweep"}).code == 0);
  const uint64_t room = fs::space(desk / "disk").available;
  desk.write("disk/ballast", std::string(room - 12 * 4096, 'x'));
  const Result full = desk.run(more);
  INFO(full.out << full.err);
  CHECK(full.code == 75);
  CHECK_THAT(full.err, StartsWith("warning: paused: there is no room on the disk ("));
  CHECK_THAT(full.err, EndsWith("); no more trials are started, and what lacked room counts as not "
                                "done\n"));
  CHECK_THAT(full.out, EndsWith("go on with: runner resume disk/sweep\n"));
  CHECK_FALSE(fs::exists(desk / "disk/sweep/trials/0004-a-seed-3/output.txt"));
  fs::remove(desk / "disk/ballast");
  const Result result = desk.run({"resume", "disk/sweep"});
  CHECK(result.code == 0);
  CHECK_THAT(result.out, Contains("5 trials: 5 finished\n"));
}

}  // namespace
}  // namespace vitrine

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
  const SmallDisk disk(desk / "disk", 300);
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

}  // namespace
}  // namespace vitrine

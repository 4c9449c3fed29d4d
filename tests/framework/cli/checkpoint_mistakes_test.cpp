#include "tests/framework/cli/support.h"

// Checkpoints that cannot be gone on from.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

TEST_CASE("A damaged checkpoint is passed over for the one before it") {
  const Desk desk;
  const Result first = desk.run({"a.yaml", "--run-dir", "run", "training.checkpoint.every=1 steps",
                                 "training.checkpoint.keep=3", "--stop-after", "2"});
  REQUIRE(first.code == 75);
  fs::resize_file(desk / "run/checkpoints/step-00000002.safetensors", 3000);
  const Result result = desk.run({"resume", "run"});
  CHECK(result.code == 0);
  CHECK(result.err ==
        "warning: the checkpoint run/checkpoints/step-00000002.safetensors is unusable: the "
        "SHA-256 of its 3000 bytes is not the recorded one: it was cut, changed or damaged\n");
  CHECK_THAT(result.out, StartsWith("going on from step-00000001 (step 1 of 3)\n"));
}

TEST_CASE("Without any sound checkpoint a run is not resumed") {
  const Desk desk;
  REQUIRE(desk.run({"a.yaml", "--run-dir", "run", "--stop-after", "2"}).code == 75);
  fs::resize_file(desk / "run/checkpoints/step-00000002.safetensors", 3000);
  CHECK(desk.error(ExitCode::kCheckpoint, {"resume", "run"}) ==
        "error: no checkpoint in run/checkpoints is usable:\n"
        "  the checkpoint run/checkpoints/step-00000002.safetensors is unusable: the SHA-256 of "
        "its 3000 bytes is not the recorded one: it was cut, changed or damaged\n");
}

}  // namespace
}  // namespace vitrine

#include <algorithm>

#include "tests/framework/cli/support.h"

// Runs whose numbers are not finite.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> checkpoints_in(const fs::path& run) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(run / "checkpoints")) {
    names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

TEST_CASE("A loss that is not finite ends the run as diverged, its last good checkpoint kept") {
  const Desk desk;
  CHECK(desk.error(ExitCode::kDiverged, {"a.yaml", "optimizer.lr=1e30", "--run-dir", "first"}) ==
        "error: the loss is not finite by step 3 (epoch 1): training has diverged. A lower "
        "optimizer.lr (now 1e+30), training.clip_norm or schedule.warmup may help.\n");
  CHECK(json_of(desk / "first/metrics.json").at("status") == "diverged");

  desk.train("run");
  CHECK(desk.error(ExitCode::kDiverged,
                   {"resume", "run", "optimizer.lr=1e30", "training.epochs=2"}) ==
        "warning: optimizer.lr is 1e+30 from step 3 on, was 0.001: this run's results are no "
        "longer exact\n"
        "error: the loss is not finite by step 6 (epoch 2): training has diverged. A lower "
        "optimizer.lr (now 1e+30), training.clip_norm or schedule.warmup may help. The last good "
        "checkpoint is step-00000003.\n");
  CHECK(json_of(desk / "run/metrics.json").at("status") == "diverged");
  CHECK(checkpoints_in(desk / "run") == std::vector<std::string>{"step-00000003.safetensors"});
}

TEST_CASE("Weights that are bad although every training loss was finite end the run as diverged") {
  const Desk desk;
  const std::string advice =
      " (epoch 1): training has diverged. A lower optimizer.lr (now 1e+38), training.clip_norm or "
      "schedule.warmup may help.\n";
  const std::string sgd = "optimizer={type: sgd, lr: 1e38}", once = "training.batch_size=256";
  CHECK(desk.error(ExitCode::kDiverged, {"a.yaml", sgd, once, "--run-dir", "validated"}) ==
        "error: the validation loss is not finite by step 1" + advice);
  CHECK(json_of(desk / "validated/metrics.json").at("status") == "diverged");
  CHECK_FALSE(fs::exists(desk / "validated/checkpoints"));

  CHECK(desk.error(ExitCode::kDiverged,
                   {"a.yaml", sgd, "training.max_steps=1", "--run-dir", "short"}) ==
        "error: the validation loss is not finite by step 1" + advice);

  CHECK(desk.error(ExitCode::kDiverged,
                   {"a.yaml", sgd, once, "dataset.validation=0", "--run-dir", "tested"}) ==
        "error: the test loss is not finite by step 1" + advice);
  CHECK(json_of(desk / "tested/metrics.json").at("status") == "diverged");
  CHECK_FALSE(fs::exists(desk / "tested/test.json"));
  CHECK_FALSE(fs::exists(desk / "tested/model.safetensors"));

  CHECK(desk.error(ExitCode::kDiverged,
                   {"a.yaml", "optimizer={type: sgd, lr: 1e38, weight_decay: 1e30}", once,
                    "dataset.validation=0", "--run-dir", "saved"}) ==
        "error: a weight is not finite by step 1" + advice);
  CHECK_FALSE(fs::exists(desk / "saved/checkpoints"));
}

}  // namespace
}  // namespace vitrine

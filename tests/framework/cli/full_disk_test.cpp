#include "framework/runs/checkpoint.h"
#include "framework/runs/metrics.h"
#include "tests/framework/cli/support.h"
#include "tests/small_disk.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfig = R"(name: small
threads: 1
dataset: {type: digits, train: 256, test: 64, validation: 64}
model:
  type: vit
  n_patches: 4
  hidden_d: 8
  n_heads: 2
  n_blocks: 1
training: {epochs: 1, batch_size: 64}
)";

TEST_CASE("A full disk ends a run; its last checkpoint survives and is gone on from") {
  const TemporaryFolder folder;
  fs::create_directory(folder / "disk");
  const SmallDisk disk(folder / "disk", 300);
  if (!disk.mounted()) return;
  write_plain(folder / "a.yaml", kConfig);
  const auto run = [&](const std::vector<std::string>& arguments) {
    return runner(arguments, folder.path());
  };
  REQUIRE(run({"a.yaml", "--run-dir", "disk/run", "--stop-after", "1"}).code == 75);
  // All but a few blocks, which the log and the metrics may take.
  const uint64_t room = fs::space(folder / "disk").available;
  write_plain(folder / "disk/ballast", std::string(room - 3 * 4096, 'x'));
  const Result full = run({"resume", "disk/run"});
  CHECK(full.code == 1);
  CHECK(full.err ==
        "error: cannot write disk/run/checkpoints/step-00000003.safetensors: No space left on "
        "device\n");
  CHECK(checkpoint_steps(folder / "disk/run/checkpoints") == std::vector<int64_t>{1});
  fs::remove(folder / "disk/ballast");
  const Result result = run({"resume", "disk/run"});
  CHECK(result.err == "");
  CHECK(result.code == 0);
  CHECK(Metrics::read(folder / "disk/run/metrics.json").status == RunStatus::kFinished);
}

}  // namespace
}  // namespace vitrine

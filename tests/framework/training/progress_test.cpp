#include "framework/config/yaml.h"
#include "framework/engine/engine.h"
#include "framework/training/training.h"
#include "tests/framework/files/support.h"

namespace vitrine {
namespace {

// Keeps what it is shown.
class Watcher : public Observer {
 public:
  void message(const std::string&) override {}
  void warning(const std::string&) override {}
  void progress(const Progress& progress) override { seen.push_back(progress); }
  void download(uint64_t, uint64_t) override {}
  ExitCode stop_requested() override { return ExitCode::kDone; }

  std::vector<Progress> seen;
};

TEST_CASE("progress shows the loss before the first row is written") {
  const TemporaryFolder folder;
  write_plain(folder / "a.yaml",
              "threads: 1\nbackend: layers\n"
              "dataset: {type: digits, train: 8000, test: 8}\n"
              "model: {type: vit, n_patches: 7, n_blocks: 2, hidden_d: 8, n_heads: 2}\n"
              "training: {epochs: 1, batch_size: 16, log_every: 100000}\n");
  TrainRequest request;
  request.config = engine().resolve({folder / "a.yaml", {}, {}});
  request.run_dir = folder / "run";
  Watcher watcher;
  CHECK(engine().train(request, watcher).code == ExitCode::kDone);
  REQUIRE_FALSE(watcher.seen.empty());
  for (const Progress& progress : watcher.seen) {
    INFO("step " << progress.step);
    CHECK(progress.loss > 0.5);  // ln 10 = 2.3 at first
    CHECK(progress.loss < 5);
  }
}

}  // namespace
}  // namespace vitrine

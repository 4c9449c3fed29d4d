#include "tests/framework/cli/fake_slurm.h"

// asha on Slurm, in rounds of jobs.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

TEST_CASE("asha goes on with the best of each round, from where these stopped") {
  const FakeSlurm slurm;
  const Result begun =
      slurm.sweep({"sweep.method=asha", "sweep.trials=4", "sweep.method.eta=2", "training.epochs=4",
                   "optimizer.lr=0.0001,0.001,0.01,0.1", "sweep.slurm.trials_per_task=4"});
  CHECK(begun.code == 0);
  CHECK_THAT(begun.out,
             EndsWith("submitted 4 trials as job 12 (1 task)\n"
                      "4 trials: 4 queued\n"
                      "look after it with: runner status sweep\n"
                      "when these have come to their epochs, runner resume sweep goes on with the "
                      "best\n"));
  const std::string script = slurm.get("sweep/slurm/0001.sh");
  CHECK_THAT(script, Contains(":10 "));
  CHECK(slurm.task(0).wait().code == 0);
  CHECK(counts(slurm) == "4 trials: 4 paused");
  CHECK_THAT(slurm.run({"status", "sweep"}).out,
             EndsWith("; nothing is queued, go on with: runner resume sweep\n"));

  size_t jobs = 1;
  for (Result round = slurm.run({"resume", "sweep"}); jobs < 5;
       round = slurm.run({"resume", "sweep"})) {
    CHECK(round.code == 0);
    if (!round.out.starts_with("submitted ")) {
      CHECK_THAT(round.out, Contains(" paused\nbest: sweep/best -> trials/"));
      break;
    }
    ++jobs;
    fs::remove(slurm / "sweep/slurm/12_0.txt");  // Slurm never gives a number twice
    CHECK(slurm.task(0, "000" + std::to_string(jobs) + ".sh").wait().code == 0);
  }
  CHECK(jobs == 3);
  CHECK_THAT(slurm.get("sweep/slurm/0002.sh"), Contains(":20"));
  size_t finished = 0;
  for (const auto& entry : fs::directory_iterator(slurm / "sweep/trials")) {
    const fs::path run = entry.path();
    if (!fs::exists(run / "test.json")) continue;
    ++finished;
    const std::string alone = "OMP_NUM_THREADS=1 $RUNNER '" + (run / "config.yaml").string() +
                              "' --run-dir alone-" + std::to_string(finished);
    REQUIRE(shell(alone, slurm.path()).code == 0);
    check_equal(run, slurm / ("alone-" + std::to_string(finished)));
  }
  CHECK(finished == 1);
}

}  // namespace
}  // namespace vitrine

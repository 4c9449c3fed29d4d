#include "tests/framework/cli/fake_slurm.h"

// Signals that Slurm sends to a task of an array job.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

// A long trial and a short one in one task. `signal` goes to the script alone, or to all processes
// of the job; what the long one gives in the end is what it gives alone.
void check_comes_back(const FakeSlurm& slurm, int signal, int code, bool to_all) {
  fs::remove_all(slurm / "sweep");
  fs::remove(slurm / "requeued");
  REQUIRE(slurm.sweep({"training.epochs=150,1", "sweep.slurm.trials_per_task=2"}).code == 0);
  const fs::path first = slurm.trial("0001-epochs-150"), second = slurm.trial("0002-epochs-1");
  {
    Process task = slurm.task(0);
    wait_for_checkpoint(first);
    if (to_all) kill(child_of(task), signal);
    task.send(signal);
    CHECK(task.wait().code == code);
  }
  CHECK(slurm.log(0) == "stopped: 0001-epochs-150\n");
  CHECK(slurm.get("requeued") == "requeue 13\n");
  CHECK(counts(slurm) == "2 trials: 1 waiting, 1 stopped");
  CHECK_FALSE(fs::exists(second / "output.txt"));
  CHECK(slurm.task(0).wait().code == 0);
  CHECK(slurm.log(0) == "stopped: 0001-epochs-150\nended: 0001-epochs-150\nended: 0002-epochs-1\n");
  if (!fs::exists(slurm / "alone")) {
    // A task has one core.
    const std::string alone =
        "OMP_NUM_THREADS=1 $RUNNER '" + (first / "config.yaml").string() + "' --run-dir alone";
    REQUIRE(shell(alone, slurm.path()).code == 0);
  }
  check_equal(first, slurm / "alone");
}

TEST_CASE("a trial that is asked to stop saves, its task goes back, and it goes on exactly") {
  const FakeSlurm slurm;
  check_comes_back(slurm, SIGUSR1, 75, false);
  check_comes_back(slurm, SIGTERM, 143, false);
}

TEST_CASE("a signal that all processes of a job get is no second one") {
  const FakeSlurm slurm;
  check_comes_back(slurm, SIGUSR1, 75, true);
  check_comes_back(slurm, SIGTERM, 143, true);
}

}  // namespace
}  // namespace vitrine

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

TEST_CASE("a task that Slurm gives no answer asks again until it is back in the queue") {
  const FakeSlurm slurm;
  REQUIRE(slurm.sweep({"training.epochs=150"}).code == 0);
  slurm.set("busy", "once\ntwice\n");
  Process task = slurm.task(0);
  wait_for_checkpoint(slurm.trial("0001-small"));
  task.send(SIGUSR1);
  CHECK(task.wait().code == 75);
  CHECK(slurm.get("requeued") == "requeue 13\nrequeue 13\nrequeue 13\n");
  CHECK(slurm.log(0) == "stopped: 0001-small\n");
}

TEST_CASE("a trial whose tasks end before it comes further is given up, with the reason") {
  const FakeSlurm slurm;
  REQUIRE(slurm.sweep({"training.epochs=150", "sweep.slurm.trials_per_task=2"}).code == 0);
  // A program that never gets as far as to train.
  write_plain(slurm / "sweep/build/runner",
              "#!/bin/bash\ntrap 'exit 75' USR1\nkill -USR1 $PPID\n"
              "while true; do sleep 0.1; done\n");
  for (int i = 0; i < 2; ++i) CHECK(slurm.task(0).wait().code == 75);
  CHECK(slurm.get("requeued") == "requeue 13\n");
  CHECK_THAT(slurm.run({"status", "sweep"}).out,
             Contains("its task's time ended twice before the trial came further; sweep.slurm.time "
                      "asks for more\n"));
}

TEST_CASE("where the limit of time is short, the task's own clock decides, and says so") {
  const FakeSlurm slurm;
  REQUIRE(slurm.sweep({"training.epochs=100000"}).code == 0);
  // Time for a busy machine to come further.
  slurm.set("left", "0:15\n");
  CHECK(slurm.task(0).wait().code == 75);
  CHECK(slurm.log(0) ==
        "short: a task has 15 s, of which its trials train until 10 s before the end; "
        "sweep.slurm.time asks for more\nstopped: 0001-small\n");
  CHECK(slurm.get("requeued") == "requeue 13\n");
}

TEST_CASE("a job that is to be cancelled saves when its time of grace begins, and goes back") {
  const FakeSlurm slurm;
  REQUIRE(slurm.sweep({"training.epochs=100000"}).code == 0);
  slurm.set("partition", "PartitionName=low GraceTime=60 Hidden=NO\n");
  // Slurm tells the steps of a job alone.
  slurm.make("srun", R"(while [[ $1 != bash ]]; do shift; done
"$@" &
until [[ -e $at/grace ]]; do sleep 0.05; done
kill -TERM $!
wait)");
  Process task = slurm.task(0);
  wait_for_checkpoint(slurm.trial("0001-small"));
  slurm.set("grace", "");
  CHECK(task.wait().code == 143);
  CHECK(slurm.log(0) == "stopped: 0001-small\n");
  CHECK(slurm.get("requeued") == "requeue 13\n");
}

}  // namespace
}  // namespace vitrine

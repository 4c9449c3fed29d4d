#include "tests/framework/cli/fake_slurm.h"

// What the tasks of an array job do, started as Slurm starts them.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

TEST_CASE("trials of a task are run one by one, and are those of the local launcher") {
  const FakeSlurm slurm;
  const std::vector<std::string> words = {"optimizer.lr=0.01,0.1", "seed=0..1"};
  std::vector<std::string> local = {"sweep", "small.yaml", "--run-dir", "local", "--threads", "1"};
  local.insert(local.end(), words.begin(), words.end());
  REQUIRE(slurm.run(local).code == 0);
  REQUIRE(slurm.sweep({words[0], words[1], "sweep.slurm.trials_per_task=3", "threads=1"}).code ==
          0);
  CHECK(slurm.task(0).wait().code == 0);
  CHECK(counts(slurm) == "4 trials: 3 finished, 1 waiting");
  CHECK(slurm.task(1).wait().code == 0);
  CHECK(slurm.log(0) ==
        "ended: 0001-lr-0.01-seed-0\nended: 0002-lr-0.01-seed-1\nended: 0003-lr-0.1-seed-0\n");
  for (const auto& entry : fs::directory_iterator(slurm / "sweep/trials"))
    check_equal(entry.path(), slurm / "local/trials" / entry.path().filename());
  const Result result = slurm.run({"resume", "sweep"});
  CHECK(result.code == 0);
  CHECK_THAT(result.out, Contains("\n4 trials: 4 finished\nbest: sweep/best -> trials/000"));
  CHECK_THAT(result.out, EndsWith("\nsweep: sweep\n"));
}

TEST_CASE("a task that was cancelled saves and does not come back") {
  const FakeSlurm slurm;
  REQUIRE(slurm.sweep({"training.epochs=150"}).code == 0);
  slurm.set("state", "COMPLETING\n");
  Process task = slurm.task(0);
  wait_for_checkpoint(slurm.trial("0001-small"));
  task.send(SIGTERM);
  CHECK(task.wait().code == 143);
  CHECK_FALSE(fs::exists(slurm / "requeued"));
  CHECK(counts(slurm) == "1 trial: 1 stopped");
}

TEST_CASE("a trial that fails or is killed spoils no other of its task, and is not repeated") {
  const FakeSlurm slurm;
  REQUIRE(
      slurm
          .sweep({"optimizer.lr=1e30,0.01", "training.epochs=150", "sweep.slurm.trials_per_task=2"})
          .code == 0);
  const fs::path second = slurm.trial("0002-lr-0.01");
  {
    Process task = slurm.task(0);
    wait_for_checkpoint(second);
    kill(child_of(task), SIGKILL);
    CHECK(task.wait().code == 137);
  }
  CHECK_THAT(slurm.log(0), StartsWith("ended: 0001-lr-1e30\n"));
  CHECK_THAT(slurm.log(0), EndsWith("\nended: 0002-lr-0.01\n"));
  CHECK(counts(slurm) == "2 trials: 1 interrupted, 1 diverged");
  CHECK_THAT(bytes_of(slurm.trial("0001-lr-1e30") / "output.txt"), EndsWith("\nexit code 4\n"));
  CHECK_THAT(bytes_of(second / "output.txt"), EndsWith("killed by signal 9\n"));
  const std::string output = bytes_of(slurm.trial("0001-lr-1e30") / "output.txt");
  CHECK(slurm.task(0).wait().code == 0);
  CHECK(bytes_of(slurm.trial("0001-lr-1e30") / "output.txt") == output);

  // What is resumed is what was killed; what diverged takes --retry-failed.
  slurm.set("id", "40\n");
  REQUIRE(slurm.run({"resume", "sweep"}).code == 0);
  CHECK_THAT(slurm.get("sweep/slurm/0002.sh"), Contains("\ntasks=(\n  '0002-lr-0.01'\n)\n"));
  slurm.set("queue", "40 0\n");
  REQUIRE(slurm.run({"resume", "sweep", "--retry-failed"}).code == 0);
  CHECK_THAT(slurm.get("sweep/slurm/0003.sh"), Contains("\ntasks=(\n  '0001-lr-1e30'\n)\n"));
}

TEST_CASE(
    "a full disk ends a task before it fails the trials that remain, and they are run again") {
  const FakeSlurm slurm;
  REQUIRE(slurm.sweep({"seed=0..1", "sweep.slurm.trials_per_task=2"}).code == 0);
  const fs::path program = slurm / "sweep/build/runner", kept = slurm / "sweep/build/kept";
  fs::rename(program, kept);
  write_plain(program,
              "#!/bin/bash\necho 'error: cannot write x: No space left on device'\nexit 1\n");
  fs::permissions(program, fs::perms::owner_all);
  CHECK(slurm.task(0).wait().code == 75);
  CHECK(slurm.log(0) ==
        "error: there is no room on the disk; the task's further trials were not started\n");
  CHECK(counts(slurm) == "2 trials: 1 waiting, 1 interrupted");
  fs::rename(kept, program);
  REQUIRE(slurm.run({"resume", "sweep"}).code == 0);
  CHECK_THAT(slurm.get("sweep/slurm/0002.sh"),
             Contains("\ntasks=(\n  '0001-small-seed-0 0002-small-seed-1'\n)\n"));
}

}  // namespace
}  // namespace vitrine

#include "tests/framework/cli/fake_slurm.h"

// What status says of trials that wait, and of how tasks ended.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

// The lines about the only trial, without the table's head and the sweep's own line.
std::string shown(const FakeSlurm& slurm) {
  const std::string text = slurm.run({"status", "sweep"}).out;
  const size_t begin = text.find('\n') + 1, end = text.rfind("\nsweep: ");
  return std::regex_replace(text.substr(begin, end + 1 - begin), std::regex("  +"), "  ");
}

constexpr const char* kRow = "sweep/trials/0001-small  ";

TEST_CASE("a trial that waits says for what, also one that failed and is to be run again") {
  const FakeSlurm slurm;
  REQUIRE(slurm.sweep({}).code == 0);
  slurm.set("queue", "12 0 PENDING PartitionTimeLimit\n");
  CHECK_THAT(shown(slurm), StartsWith(std::string(kRow) + "queued (PartitionTimeLimit)  0/3"));
  slurm.set("queue", "12 0 PENDING ReqNodeNotAvail, UnavailableNodes:n1\n");
  CHECK_THAT(shown(slurm), StartsWith(std::string(kRow) + "queued (ReqNodeNotAvail, "));
  slurm.set("queue", "");

  fs::permissions(slurm / "sweep/build/runner", fs::perms::owner_read);
  CHECK(slurm.task(0).wait().code == 126);
  const std::string text = shown(slurm);
  CHECK_THAT(text, StartsWith(std::string(kRow) + "failed  0/3"));
  CHECK_THAT(text, Contains("Permission denied (exit code 126)\n  log: sweep/slurm/12_0.txt\n"));
  fs::permissions(slurm / "sweep/build/runner", fs::perms::owner_all);
  slurm.set("id", "40\n");
  REQUIRE(slurm.run({"resume", "sweep", "--retry-failed"}).code == 0);
  slurm.set("queue", "40 0 PENDING Priority\n");
  CHECK_THAT(shown(slurm), StartsWith(std::string(kRow) + "queued (Priority)  0/3"));
  CHECK(slurm.run({"resume", "sweep", "--retry-failed"}).out ==
        "1 trial: 1 queued\nlook after it with: runner status sweep\n");
}

TEST_CASE("how a task ended is told in words, with its log") {
  const FakeSlurm slurm;
  REQUIRE(slurm.sweep({}).code == 0);
  const auto told = [&](const std::string& log) {
    slurm.set("sweep/slurm/12_0.txt", "task 12_0 on n1, time left: 1:00:00\n" + log);
    const std::string text = shown(slurm);
    const std::string begin = "\nsweep/trials/0001-small: ";
    const size_t at = text.find(begin);
    return at == text.npos ? "" : text.substr(at + begin.size());
  };
  const std::string log = "\n  log: sweep/slurm/12_0.txt\n";
  CHECK(
      told("slurmstepd: error: *** JOB 13 ON n1 CANCELLED AT 2026-11-30T02:09:58 DUE TO TIME LIMIT "
           "***\n") == "its task ran out of time before the trial had saved" + log);
  CHECK(told("slurmstepd: error: Detected 1 oom-kill event(s) in StepId=12.batch.\n") ==
        "its task ran out of memory; one with more: runner resume sweep sweep.slurm.mem=8G" + log);
  CHECK(told("slurmstepd: error: Exceeded job memory limit\n"
             "slurmstepd: error: *** JOB 13 ON n1 CANCELLED AT 2026-11-30T02:14:11 ***\n") ==
        "its task ran out of memory; one with more: runner resume sweep sweep.slurm.mem=8G" + log);
  CHECK(told("slurmstepd: error: *** JOB 13 ON n1 CANCELLED AT 2026-11-30T02:14:11 DUE TO NODE "
             "FAILURE, SEE SLURMCTLD LOG FOR DETAILS ***\n") == "its task's node was lost" + log);
  CHECK(told("slurmstepd: error: *** JOB 13 ON n1 CANCELLED AT 2026-11-30T02:14:11 ***\n") ==
        "its task was cancelled" + log);
  // What was before it started again is past.
  CHECK(told("slurmstepd: error: Exceeded job memory limit\ntask 12_0 on n1, time left: 1:00\n") ==
        "");
}

TEST_CASE("a task that left no log is explained as far as Slurm can") {
  const FakeSlurm slurm;
  REQUIRE(slurm.sweep({}).code == 0);
  CHECK_THAT(shown(slurm),
             EndsWith("\nsweep/trials/0001-small: its task ended and left no log: it was "
                      "cancelled while it waited, or its node does not see this "
                      "folder\n"));
  slurm.set("ended", "FAILED|JobLaunchFailure\n");
  CHECK_THAT(shown(slurm),
             EndsWith("\nsweep/trials/0001-small: its task could not be started: its node "
                      "may not see this folder\n"));
}

TEST_CASE("an error of several lines is shown with all of them") {
  const FakeSlurm slurm;
  REQUIRE(slurm.sweep({}).code == 0);
  write_plain(slurm.trial("0001-small") / "output.txt",
              "error: MNIST was not found. Tried:\n  data: no such folder\nexit code 3\n");
  slurm.set("sweep/slurm/12_0.txt", "ended: 0001-small\n");
  CHECK_THAT(shown(slurm), EndsWith("\nsweep/trials/0001-small: MNIST was not found. Tried:\n"
                                    "  data: no such folder\n  log: sweep/slurm/12_0.txt\n"));
}

TEST_CASE(
    "a sweep whose plan is damaged hides no other run, and is refused where it is asked for") {
  const FakeSlurm slurm;
  REQUIRE(slurm.sweep({}).code == 0);
  slurm.set("sweep/plan.json", "{");
  CHECK(slurm.run({"status", "sweep"}).code == 5);
  REQUIRE(slurm.run({"small.yaml", "--run-dir", "run"}).code == 0);
  const Result other = slurm.run({"status", "."});
  CHECK(other.code == 0);
  CHECK_THAT(other.out, Contains("\nrun  finished"));
  CHECK_THAT(other.err, StartsWith("warning: " + (slurm / "sweep/plan.json").string()));
}

TEST_CASE(
    "limits of the partition that trials cannot live with are said before they are submitted") {
  const FakeSlurm slurm;
  slurm.set("partition",
            "PartitionName=slow Default=NO DefaultTime=NONE MaxTime=UNLIMITED\n"
            "PartitionName=quick Default=YES DefaultTime=00:02:00 MaxTime=00:30:00\n");
  CHECK(slurm.sweep({}).err ==
        "warning: the default partition gives a task 00:02:00 where no time is asked for: trials "
        "stop "
        "and wait in the queue again after each; sweep.slurm.time asks for more\n");
  fs::remove_all(slurm / "sweep");
  CHECK(
      slurm.sweep({"sweep.slurm.time=10:00:00"}).err ==
      "warning: sweep.slurm.time (10:00:00) is more than the default partition allows (00:30:00): "
      "Slurm may keep the tasks waiting for ever\n");
}

}  // namespace
}  // namespace vitrine

#include <algorithm>
#include <sstream>

#include "framework/runs/lock.h"
#include "tests/framework/cli/fake_slurm.h"

// What is known of jobs, and that none is forgotten or submitted twice.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

std::string submitted_by(const Result& result) {
  return result.out.substr(0, result.out.find('\n'));
}

TEST_CASE(
    "filters of the user's environment hide no job, and those who submit keep their account") {
  const FakeSlurm slurm;
  const std::map<std::string, std::string> mine = {{"SQUEUE_STATES", "R"},
                                                   {"SQUEUE_PARTITION", "other"},
                                                   {"SLURM_CLUSTERS", "other"},
                                                   {"SLURM_MEM_PER_CPU", "10"},
                                                   {"SBATCH_WAIT", "1"},
                                                   {"SBATCH_ARRAY_INX", "7"},
                                                   {"SBATCH_NO_REQUEUE", "1"},
                                                   {"SBATCH_ACCOUNT", "lab"},
                                                   {"SLURM_CONF", "/etc/slurm.conf"},
                                                   {"SBATCH_PARTITION", "long"},
                                                   {"SBATCH_ERROR", "elsewhere"}};
  REQUIRE(
      slurm.run({"sweep", "small.yaml", "--run-dir", "sweep", "--launcher", "slurm"}, mine).code ==
      0);
  std::vector<std::string> kept;
  std::istringstream lines(slurm.get("environment"));
  for (std::string line; std::getline(lines, line);) kept.push_back(line);
  std::sort(kept.begin(), kept.end());
  CHECK(kept == std::vector<std::string>{"SBATCH_ACCOUNT=lab", "SBATCH_PARTITION=long",
                                         "SLURM_CONF=/etc/slurm.conf"});
  slurm.set("queue", "12 0\n");
  slurm.set("arguments", "");
  CHECK_THAT(slurm.run({"status", "sweep"}, mine).out, Contains("sweep: 1 trial: 1 queued; "));
  CHECK(submitted_by(slurm.run({"resume", "sweep"}, mine)) == "1 trial: 1 queued");
  CHECK(slurm.get("arguments") == "");
}

TEST_CASE("a job whose answer was lost is found by its mark, and not submitted again") {
  const FakeSlurm slurm;
  slurm.set("lost", "");
  slurm.set("refusal", "sbatch: error: Batch job submission failed: Socket timed out\n");
  const Result result = slurm.sweep({});
  CHECK(result.err == "");
  CHECK_THAT(result.out, Contains("submitted 1 trial as job 77 (1 task)\n1 trial: 1 queued\n"));
}

TEST_CASE("where Slurm takes a job and then falls silent, the next resume finds it") {
  const FakeSlurm slurm;
  slurm.set("lost", "");
  slurm.set("refusal", "sbatch: error: Socket timed out\n");
  slurm.set("falls_silent", "");
  const std::string where = slurm / "sweep";
  const Result result = slurm.sweep({});
  CHECK(result.code == 1);
  CHECK(result.err ==
        "error: sbatch refused: sbatch: error: Socket timed out\n"
        "squeue cannot tell what is queued: squeue: no answer\n"
        "whether Slurm has taken the job is not known; the next runner resume " +
            where + " looks for it before it submits anything\n");
  CHECK(slurm.run({"resume", "sweep"}).code == 1);
  for (const char* file : {"deaf", "falls_silent", "lost", "refusal"}) fs::remove(slurm / file);
  slurm.set("arguments", "");
  CHECK_THAT(slurm.run({"status", "sweep"}).out, Contains("sweep: 1 trial: 1 queued; job 77\n"));
  CHECK(slurm.run({"resume", "sweep"}).out ==
        "1 trial: 1 queued\nlook after it with: runner status sweep\n");
  CHECK(slurm.get("arguments") == "");
  CHECK(json_of(slurm / "sweep/plan.json").at("slurm_jobs")[0].at("job") == "77");

  // What Slurm turns out not to have is submitted.
  slurm.set("queue", "");
  CHECK(submitted_by(slurm.run({"resume", "sweep"})) == "submitted 1 trial as job 12 (1 task)");
}

TEST_CASE("a job whose number nobody could write down tells it itself, as soon as it runs") {
  const FakeSlurm slurm;
  slurm.set("refusal", "sbatch: error: Socket timed out\n");
  CHECK(slurm.sweep({}).code == 1);
  CHECK(slurm.task(0).wait().code == 0);  // it was taken after all, and has left the queue since
  CHECK(slurm.get("sweep/slurm/0001.job") == "12\n");
  CHECK_THAT(slurm.run({"status", "sweep"}).out, Contains("sweep: 1 trial: 1 finished; "));
}

TEST_CASE("a job of another's that has an old number is not taken for the sweep's") {
  const FakeSlurm slurm;
  REQUIRE(slurm.sweep({}).code == 0);
  slurm.set("queue", "12 0\n");
  slurm.set("comment-12", "vitrine:another:1\n");
  CHECK(submitted_by(slurm.run({"resume", "sweep"})) == "submitted 1 trial as job 12 (1 task)");
}

TEST_CASE("the number of a job stands behind greetings, and may name its cluster") {
  const FakeSlurm slurm;
  slurm.set("config", "ClusterName             = here\n");
  slurm.set("id", "12;here\n");
  CHECK_THAT(slurm.sweep({}).out, Contains("submitted 1 trial as job 12 (1 task)\n"));
  slurm.set("queue", "12 0\n");
  CHECK(submitted_by(slurm.run({"resume", "sweep"})) == "1 trial: 1 queued");
}

TEST_CASE("--jobs is the limit of all jobs of a sweep together") {
  const FakeSlurm slurm;
  const auto array = [&] {
    const std::string text = slurm.get("arguments");
    std::string out;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("--array=") || line.starts_with("--dependency=")) out += line + " ";
    }
    return out;
  };
  REQUIRE(slurm.sweep({"seed=0..5", "--jobs", "2"}).code == 0);
  CHECK(array() == "--array=0-5%2 ");
  slurm.set("id", "40\n");
  slurm.set("queue", "12 0 RUNNING\n12 1 RUNNING\n12 2\n");
  REQUIRE(slurm.run({"resume", "sweep", "--jobs", "2"}).code == 0);
  CHECK(array() == "--array=0-2%2 --dependency=afterany:12 ");
  slurm.set("queue", "12 2 RUNNING\n40 0\n40 1 PENDING Dependency\n40 2 PENDING Dependency\n");
  slurm.set("updated", "");
  REQUIRE(slurm.run({"resume", "sweep", "--jobs", "3"}).code == 0);
  CHECK(slurm.get("updated") ==
        "update JobId=12 ArrayTaskThrottle=3\nupdate JobId=40 ArrayTaskThrottle=2\n");
}

TEST_CASE("arrays that are larger than Slurm takes are split, which is said") {
  const FakeSlurm slurm;
  slurm.set("config", "MaxArraySize            = 2\n");
  const Result result = slurm.sweep({"seed=0..4"});
  CHECK(result.code == 0);
  CHECK(result.err ==
        "warning: 5 tasks are more than this Slurm takes as one job (2): submitted as 3 jobs; "
        "sweep.slurm.trials_per_task=3 would make it one\n");
  CHECK_THAT(slurm.get("arguments"), Contains("\n--array=0-0\n"));
  CHECK_THAT(slurm.get("sweep/slurm/0003.sh"), Contains("\ntasks=(\n  '0005-small-seed-4'\n)\n"));
}

TEST_CASE("of two that resume at once one is turned away before it reads the plan") {
  const FakeSlurm slurm;
  REQUIRE(slurm.sweep({}).code == 0);
  const RunLock lock(slurm / "sweep");
  write_plain(slurm / "sweep/plan.json", "{");
  CHECK_THAT(slurm.refused({"resume", "sweep"}, 1), StartsWith("error: another runner (process "));
}

}  // namespace
}  // namespace vitrine

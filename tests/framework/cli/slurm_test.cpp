#include "framework/files/json.h"
#include "tests/framework/cli/fake_slurm.h"

// What is submitted to Slurm; slurm_task_test.cpp has what its tasks do.
namespace vitrine {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// As a task leaves a trial.
void finish(const FakeSlurm& slurm, const std::string& trial) {
  REQUIRE(slurm.run({"resume", slurm.trial(trial)}).code == 0);
}

TEST_CASE("a sweep on Slurm is frozen, submitted as one array job, and left to itself") {
  const FakeSlurm slurm;
  const std::string sweep = slurm / "sweep";
  const Result result = slurm.sweep({"optimizer.lr=0.01,0.1", "seed=0..1"});
  CHECK(result.code == 0);
  CHECK(result.err == "");
  CHECK(result.out ==
        "small: 4 trials, 2 cells x 2 seeds, at most 4 at a time\n"
        "submitted 4 trials as job 12 (4 tasks)\n"
        "4 trials: 4 queued\n"
        "look after it with: runner status sweep\n");
  CHECK(slurm.get("arguments") == "--parsable\n--job-name=small\n--comment=" + slurm.mark(1) +
                                      "\n--array=0-3\n--output=" + sweep +
                                      "/slurm/%A_%a.txt\n--open-mode=append\n--requeue\n"
                                      "--signal=B:USR1@120\n--cpus-per-task=1\n" +
                                      sweep + "/slurm/0001.sh\n" + sweep + "\n");
  CHECK_THAT(slurm.get("sweep/slurm/0001.sh"), Contains("\ntasks=(\n"
                                                        "  '0001-lr-0.01-seed-0'\n"
                                                        "  '0002-lr-0.01-seed-1'\n"
                                                        "  '0003-lr-0.1-seed-0'\n"
                                                        "  '0004-lr-0.1-seed-1'\n)\n"));
  CHECK(fs::exists(slurm / "sweep/build/libvitrine_engine.so"));
  const Json summary = Json::parse(slurm.get("sweep/sweep.json"));
  CHECK(summary.at("slurm_jobs") == Json({"12"}));
  CHECK(summary.at("trials")[3].at("status") == "queued");
}

TEST_CASE("what sweep.slurm says goes to sbatch, and --jobs is the limit of the array") {
  const FakeSlurm slurm;
  write_plain(slurm / "sizes.yaml", R"(base: small.yaml
sweep:
  launcher: slurm
  seeds: 0..4
  jobs: 3
  slurm: {partition: long, time: 1:30:00, cpus_per_task: 2, mem: 4G, gres: "nvme:1", account: lab,
    qos: low, constraint: "a&b c", trials_per_task: 2, extra: [--mail-type=FAIL, --exclusive]}
)");
  const Result result = slurm.run({"sweep", "sizes.yaml", "--run-dir", "s%d x", "--jobs", "2"});
  CHECK(result.code == 0);
  CHECK_THAT(result.out, Contains("submitted 5 trials as job 12 (3 tasks)\n"));
  const std::string sweep = slurm / "s%d x", pattern = slurm / "s%%d x";
  CHECK(slurm.get("arguments") ==
        "--parsable\n--job-name=sizes\n--comment=" + slurm.mark(1, "s%d x") +
            "\n--array=0-2%2\n--output=" + pattern +
            "/slurm/%A_%a.txt\n--open-mode=append\n--requeue\n--signal=B:USR1@120\n"
            "--partition=long\n--time=1:30:00\n--cpus-per-task=2\n--mem=4G\n--gres=nvme:1\n"
            "--account=lab\n--qos=low\n--constraint=a&b c\n--mail-type=FAIL\n--exclusive\n" +
            sweep + "/slurm/0001.sh\n" + sweep + "\n");
  CHECK_THAT(slurm.get("s%d x/slurm/0001.sh"), Contains("\ntasks=(\n"
                                                        "  '0001-sizes-seed-0 0002-sizes-seed-1'\n"
                                                        "  '0003-sizes-seed-2 0004-sizes-seed-3'\n"
                                                        "  '0005-sizes-seed-4'\n)\n"));
}

TEST_CASE("a trial gets as many cores as it has threads") {
  const FakeSlurm slurm;
  CHECK(slurm.sweep({"seed=0..1", "threads=3"}).code == 0);
  CHECK_THAT(slurm.get("arguments"), Contains("\n--cpus-per-task=3\n"));
  CHECK(slurm.refused({"sweep", "small.yaml", "--launcher", "slurm", "threads=3",
                       "sweep.slurm.cpus_per_task=2"},
                      2) ==
        "error: sweep.slurm.cpus_per_task (2) is less than the threads of a trial (3)\n");
}

TEST_CASE("status tells what is queued, and by which task") {
  const FakeSlurm slurm;
  REQUIRE(slurm.sweep({"seed=0..2", "sweep.slurm.trials_per_task=2"}).code == 0);
  finish(slurm, "0001-small-seed-0");
  slurm.set("queue", "11 1\n12 0\n12 7\n120 1\n");
  const Result status = slurm.run({"status", "sweep"});
  CHECK_THAT(status.out, Contains("sweep: 3 trials: 1 finished, 1 queued, 1 waiting; "));
  CHECK_THAT(status.out, EndsWith("; job 12\n"));
  const Json rows = Json::parse(slurm.run({"status", "sweep", "--json"}).out);
  CHECK(rows[0].at("status") == "finished");
  CHECK(rows[1].at("status") == "queued");
  CHECK(rows[1].at("slurm_task") == "12_0");
  CHECK(rows[2].at("status") == "waiting");
  CHECK(rows[2].at("slurm_task") == "12_1");

  slurm.set("deaf", "");
  const Result deaf = slurm.run({"status", "sweep"});
  CHECK(deaf.code == 0);
  CHECK(deaf.err == "warning: squeue cannot tell what is queued: squeue: no answer\n");
  CHECK_THAT(deaf.out, Contains("sweep: 3 trials: 1 finished, 2 waiting; "));
  for (const char* trial : {"0002-small-seed-1", "0003-small-seed-2"}) finish(slurm, trial);
  CHECK(slurm.run({"status", "sweep"}).err == "");
}

TEST_CASE("resume submits what is neither finished nor in the queue") {
  const FakeSlurm slurm;
  REQUIRE(slurm.sweep({"seed=0..3", "--jobs", "2"}).code == 0);
  finish(slurm, "0001-small-seed-0");
  slurm.set("queue", "12 2\n");
  slurm.set("id", "40\n");
  CHECK(slurm.run({"resume", "sweep"}).out ==
        "submitted 2 trials as job 40 (2 tasks)\n"
        "4 trials: 1 finished, 3 queued\n"
        "look after it with: runner status sweep\n");
  CHECK_THAT(slurm.get("arguments"), Contains("\n--array=0-1%1\n"));  // one runs already
  CHECK_THAT(slurm.get("arguments"), Contains("/slurm/0002.sh\n"));
  CHECK_THAT(slurm.get("sweep/slurm/0002.sh"),
             Contains("\ntasks=(\n  '0002-small-seed-1'\n  '0004-small-seed-3'\n)\n"));

  slurm.set("queue", "12 2\n40 0\n40 1\n");
  slurm.set("arguments", "");
  const Result nothing = slurm.run({"resume", "sweep"});
  CHECK(nothing.code == 0);
  CHECK(nothing.out ==
        "4 trials: 1 finished, 3 queued\n"
        "look after it with: runner status sweep\n");
  CHECK(slurm.get("arguments") == "");

  slurm.set("deaf", "");
  CHECK(slurm.refused({"resume", "sweep"}, 1) ==
        "error: squeue cannot tell what is queued: squeue: no answer\n");
}

TEST_CASE("once all have ended resume tells the result, and submits what --confirm asks for") {
  const FakeSlurm slurm;
  const Result result = slurm.sweep({"optimizer.lr=0.001,0.01", "training.max_steps=1", "--confirm",
                                     "--top", "1", "--seeds", "2"});
  CHECK_THAT(result.out,
             EndsWith("when all have ended, runner resume sweep runs the best again on fresh "
                      "seeds\n"));
  finish(slurm, "0001-lr-0.001");
  slurm.set("queue", "12 1\n");
  CHECK(slurm.run({"resume", "sweep"}).code == 0);
  CHECK_THAT(slurm.run({"resume", "sweep", "--confirm", "--top", "2"}).out,
             EndsWith("runner resume sweep runs the best again on fresh seeds\n"));
  CHECK_FALSE(fs::exists(slurm / "sweep/slurm/0002.sh"));
  finish(slurm, "0002-lr-0.01");
  slurm.set("queue", "");
  CHECK_THAT(slurm.run({"resume", "sweep"}).out, StartsWith("submitted 2 trials as job 12 "));
  size_t confirmations = 0;
  for (const auto& entry : fs::directory_iterator(slurm / "sweep/trials")) {
    const std::string name = entry.path().filename();
    if (name.find("-confirm-") == name.npos) continue;
    ++confirmations;
    finish(slurm, name);
  }
  CHECK(confirmations == 2);
  const Result done = slurm.run({"resume", "sweep"});
  CHECK(done.code == 0);
  CHECK_THAT(done.out, Contains("\n4 trials: 4 finished\nbest: sweep/best -> trials/000"));
  CHECK_THAT(done.out, EndsWith("\nsweep: sweep\n"));
}

TEST_CASE("--confirm that comes too early is told to come again") {
  const FakeSlurm slurm;
  REQUIRE(slurm.sweep({"seed=0..1"}).code == 0);
  slurm.set("queue", "12 0\n12 1\n");
  CHECK_THAT(slurm.run({"resume", "sweep", "--confirm", "--seeds", "2"}).out,
             EndsWith("when all have ended, runner resume sweep --confirm --top 3 --seeds 2 runs "
                      "the best again on fresh seeds\n"));
}

TEST_CASE("where Slurm is not there, nothing is made") {
  const FakeSlurm slurm;
  const Result result = runner({"sweep", "small.yaml", "--launcher", "slurm"}, slurm.path(),
                               {{"PATH", slurm.path().string()}});
  CHECK(result.code == 1);
  CHECK(result.err ==
        "error: sbatch was not found on the PATH: sweeps with the launcher slurm need Slurm's "
        "commands; --launcher local runs here\n");
  CHECK_FALSE(fs::exists(slurm / "runs"));
}

TEST_CASE("a sweep that sbatch refuses is kept, and submitted again by resume") {
  const FakeSlurm slurm;
  slurm.set("refusal", "sbatch: error: invalid partition specified: \033[31mlnog\nsbatch: no\n");
  const Result result = slurm.sweep({"seed=0..1"});
  const std::string where = slurm / "sweep";
  CHECK(result.code == 1);
  CHECK(result.err ==
        "error: sbatch refused: sbatch: error: invalid partition specified: \\x1b[31mlnog\n"
        "sbatch: no\n"
        "the sweep lies in " +
            where + "; submit it, with what is to be otherwise: runner resume " + where +
            " sweep.slurm.KEY=VALUE\n");
  CHECK_THAT(slurm.run({"status", "sweep"}).out, Contains("2 trials: 2 waiting"));
  fs::remove(slurm / "refusal");
  slurm.set("id", "hello\n");
  CHECK(slurm.refused({"resume", "sweep"}, 1) ==
        "error: sbatch printed \"hello\", not the number of a job\nthe sweep lies in " + where +
            "; submit it, with what is to be otherwise: runner resume " + where +
            " sweep.slurm.KEY=VALUE\n");
  slurm.set("id", "Welcome to 3 nodes\n\nSubmitted batch job 12\n");
  CHECK_THAT(slurm.run({"resume", "sweep"}).out, StartsWith("submitted 2 trials as job 12 "));
}

TEST_CASE("what a sweep on Slurm is refused for") {
  const FakeSlurm slurm;
  const std::string backslash = slurm / "back\\slash";
  CHECK(slurm.refused({"sweep", "small.yaml", "--launcher", "slurm", "--run-dir", backslash}, 2) ==
        "error: Slurm cannot write to a folder with a backslash in its path: " + backslash +
            "/slurm\n");
  const std::vector<std::string> words = {"sweep", "small.yaml", "seed=0..1", "--launcher"};
  const auto refused = [&](std::vector<std::string> more) {
    more.insert(more.begin(), words.begin(), words.end());
    return slurm.refused(more, 2);
  };
  CHECK(refused({"cloud"}) ==
        "error: command line:1:16: sweep.launcher: unknown launcher \"cloud\"\n"
        "    1 | sweep.launcher=cloud\n"
        "      |                ^ there are local, slurm; no plug-in is loaded; plugins: [FILE] or "
        "--plugin FILE adds some\n");
  CHECK(refused({"slurm", "sweep.slurm.gpus=1", "device=cpu"}) ==
        "error: sweep.slurm asks for GPUs, but the trials compute on the cpu (device: cpu): leave "
        "one "
        "of them out\n");
  CHECK_FALSE(fs::exists(slurm / "runs"));
  CHECK_FALSE(fs::exists(slurm / "arguments"));
}

}  // namespace
}  // namespace vitrine

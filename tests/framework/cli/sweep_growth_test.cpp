#include "framework/config/yaml.h"
#include "framework/files/json.h"
#include "tests/framework/cli/fake_slurm.h"
#include "tests/framework/cli/sweep_folder.h"

// Sweeps that grow, and those whose trials were lost. What is planned then is in
// tests/framework/sweeps/growth_test.cpp.
namespace vitrine {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

TEST_CASE("a sweep grows, and a trial that is beyond repair keeps no other from running") {
  const SweptFolder folder;
  REQUIRE(folder.sweep({"seed=0..2", "training.max_steps=1", "--threads", "1"}).code == 0);
  const std::string kept = bytes_of(folder.trial("0003-small-seed-2") / "output.txt");
  fs::remove_all(folder.trial("0001-small-seed-0"));
  write_plain(folder.trial("0002-small-seed-1") / "metrics.json", "{");
  write_plain(folder / "sweep/.damaged", "");
  const Result grown = folder.run({"resume", "sweep", "seed=0..3", "--jobs", "2"});
  CHECK(grown.code == 1);
  CHECK_THAT(grown.out, StartsWith("small: 1 trial added (3 there already, 1 finished): 1 cell x 4 "
                                   "seeds, 2 at a time\n"));
  CHECK_THAT(grown.out, Contains("\n4 trials: 3 finished, 1 failed\nbest: sweep/best -> ") &&
                            EndsWith("\nrun what failed again with: runner resume sweep "
                                     "--retry-failed\n"));
  CHECK_THAT(grown.err, StartsWith("warning: sweep/trials/0001-small-seed-0 is gone: made again "
                                   "from plan.json\nwarning: sweep/trials/0002-small-seed-1 cannot "
                                   "be gone on with: cannot create "));
  CHECK(bytes_of(folder.trial("0003-small-seed-2") / "output.txt") == kept);

  fs::remove(folder / "sweep/.damaged");
  const Result mended = folder.run({"resume", "sweep"});
  CHECK(mended.code == 0);
  CHECK(mended.err ==
        "warning: sweep/trials/0002-small-seed-1 has a damaged metrics.json: it goes on from its "
        "checkpoints (what there was is in sweep/.damaged/0002-small-seed-1-1/metrics.json)\n");
  const Result alone = folder.run(
      {"small.yaml", "seed=3", "training.max_steps=1", "--threads", "1", "--run-dir", "alone"});
  REQUIRE(alone.code == 0);
  check_equal(folder.trial("0004-small-seed-3"), folder / "alone");

  // What is added is read by the program that ran the others.
  write_plain(folder / "sweep/build/runner", "#!/bin/sh\necho \"frozen: $@\"\n");
  CHECK(folder.run({"resume", "sweep", "seed=0..9", "--jobs", "2"}).out ==
        "frozen: resume sweep seed=0..9 --jobs 2\n");
}

TEST_CASE("a literal ${ stays one in a sweep that grows") {
  const SweptFolder folder;
  REQUIRE(folder
              .sweep({"seed=0", "sweep.cells=[{name: x, optimizer.lr: 0.01, note: 'a$${b}'}]",
                      "training.max_steps=1", "--threads", "1"})
              .code == 0);
  const Result grown = folder.run({"resume", "sweep", "seed=0..1"});
  CHECK(grown.err == "");
  CHECK(grown.code == 0);
  const fs::directory_iterator trials(folder / "sweep/trials");
  CHECK(std::distance(begin(trials), end(trials)) == 2);
  for (const auto& trial : fs::directory_iterator(folder / "sweep/trials"))
    CHECK_THAT(bytes_of(trial.path() / "config.yaml"), Contains("note: \"a$${b}\"\n"));
}

TEST_CASE("asha gets more trials, and winners that are new are confirmed as well") {
  const SweptFolder folder;
  const std::vector<std::string> search = {"sweep.method=asha",
                                           "sweep.method.eta=2",
                                           "optimizer.lr=log:1e-6..0.1",
                                           "--confirm",
                                           "--top",
                                           "9",
                                           "--seeds",
                                           "1",
                                           "training.epochs=2",
                                           "--jobs",
                                           "2"};
  std::vector<std::string> small = search;
  small.push_back("sweep.trials=1");
  REQUIRE(folder.sweep(small).code == 0);
  const Result grown = folder.run({"resume", "sweep", "sweep.trials=3", "--json"});
  CHECK(grown.code == 0);
  const Json json = Json::parse(grown.out);
  CHECK(json.at("growth") == Json({{"added", 2}, {"there", 1}}));
  const auto trials = names_in(folder / "sweep/trials");
  REQUIRE(trials.size() >= 4);
  CHECK_THAT(trials[0], StartsWith("0001-lr-"));
  CHECK_THAT(trials[1], StartsWith("0002-confirm-lr-"));
  CHECK_THAT(trials[1], EndsWith("-seed-1"));
  CHECK_THAT(trials[2], StartsWith("0003-lr-"));
  CHECK_THAT(trials[3], StartsWith("0004-lr-"));
  for (size_t i = 4; i < trials.size(); ++i) {
    CHECK_THAT(trials[i], Contains("-confirm-lr-"));
    CHECK_THAT(trials[i], EndsWith("-seed-1"));
  }
}

TEST_CASE("on Slurm what was added is submitted, and what lost its folder") {
  const FakeSlurm slurm;
  REQUIRE(slurm.sweep({"seed=0..1"}).code == 0);
  slurm.set("queue", "12 0\n12 1\n");
  slurm.set("id", "13\n");
  const Result grown = slurm.run({"resume", "sweep", "seed=0..2"});
  CHECK(grown.code == 0);
  CHECK(
      grown.out ==
      "small: 1 trial added (2 there already, 0 finished): 1 cell x 3 seeds, at most 3 at a time\n"
      "submitted 1 trial as job 13 (1 task)\n"
      "3 trials: 3 queued\n"
      "look after it with: runner status sweep\n");
  CHECK_THAT(slurm.get("sweep/slurm/0002.sh"), Contains("\ntasks=(\n  '0003-small-seed-2'\n)\n"));
  fs::remove_all(slurm.trial("0002-small-seed-1"));
  slurm.set("queue", "12 0\n13 0\n");
  CHECK(slurm.run({"resume", "sweep"}).err ==
        "warning: sweep/trials/0002-small-seed-1 is gone: made again from plan.json\n");
  CHECK_THAT(slurm.get("sweep/slurm/0003.sh"), Contains("\ntasks=(\n  '0002-small-seed-1'\n)\n"));
  CHECK(fs::exists(slurm.trial("0002-small-seed-1") / "config.yaml"));
}

}  // namespace
}  // namespace vitrine

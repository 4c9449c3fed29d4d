#include "tests/framework/cli/support.h"
#include "tests/framework/sweeps/support.h"

// What status and resume say of sweeps whose trials are written by hand.
namespace vitrine {
namespace {

// What the program says of the sweep, from its own folder.
std::string said(const SweepFolder& folder, std::vector<std::string> arguments, int code = 0) {
  arguments.push_back(".");
  const Result result = runner(arguments, folder.path());
  INFO(result.out << result.err);
  CHECK(result.code == code);
  return result.err + result.out;
}

TEST_CASE("a cell with diverged seeds is not the best, and says why it stands where it does") {
  const SweepFolder folder(6, "{}", 3);
  folder.write(0, RunStatus::kFinished, {0.9});
  folder.write(1, RunStatus::kDiverged, {0.8});
  folder.write(2, RunStatus::kDiverged, {0.8});
  for (size_t i = 3; i < 6; ++i) folder.write(i, RunStatus::kFinished, {0.1});
  CHECK_THAT(said(folder, {"status"}),
             EndsWith("\n.: 6 trials: 4 finished, 2 diverged; best 10.00 % (cell 1)\n"));
  CHECK_THAT(said(folder, {"resume"}, 1),
             StartsWith("cell    seeds  validation/accuracy\n"
                        "cell 1  3/3                10.00 %\n"
                        "cell 0  1/3                90.00 %  2 of 3 diverged\n"
                        "6 trials: 4 finished, 2 diverged\n"
                        "best: ./best -> trials/0004-cell\n"
                        "      of cell 1, the seed nearest the mean over 3 (10.00 %, mean "
                        "10.00 %): the best seed would be luck\n"));
  const Json cells = Json::parse(said(folder, {"resume", "--json"}, 1)).at("cells");
  REQUIRE(cells.size() == 2);
  CHECK(cells[0].at("cell") == "cell 1");
  CHECK(cells[1].at("diverged") == 2);
  CHECK(cells[1].at("finished") == 1);
}

TEST_CASE("where every cell has failures the best one says so") {
  const SweepFolder folder(4, "{}", 2);
  folder.write(0, RunStatus::kFinished, {0.9});
  folder.write(1, RunStatus::kDiverged, {0.8});
  folder.write(2, RunStatus::kDiverged, {0.9});
  folder.write(3, RunStatus::kDiverged, {0.8});
  CHECK_THAT(said(folder, {"status"}), EndsWith("; best 90.00 % (cell 0: 1 of 2 diverged)\n"));
  CHECK_THAT(said(folder, {"resume"}, 1),
             StartsWith("cell    seeds  validation/accuracy\n"
                        "cell 0  1/2                90.00 %  1 of 2 diverged\n"
                        "cell 1  0/2                      -  2 of 2 diverged\n"
                        "4 trials: 1 finished, 3 diverged\n"
                        "best: ./best -> trials/0001-cell\n"
                        "      of cell 0 (1 of 2 diverged): 90.00 %\n"));
}

TEST_CASE("the best of cells that are under way is the best so far") {
  const SweepFolder folder(4, "{}", 2);
  folder.write(0, RunStatus::kFinished, {0.9});
  folder.write(2, RunStatus::kFinished, {0.5});
  CHECK_THAT(said(folder, {"status"}),
             EndsWith("\n.: 4 trials: 2 finished, 2 waiting; best so far 90.00 % "
                      "(cell 0: 1 of 2 seeds)\n"));
  folder.write(3, RunStatus::kFinished, {0.5});
  CHECK_THAT(said(folder, {"status"}), EndsWith("; best so far 50.00 % (cell 1)\n"));
}

TEST_CASE("a trial that was taken further is shown apart, with the reason") {
  const SweepFolder folder(3, "{}", 3);
  folder.write(0, RunStatus::kFinished, {0.2});
  folder.write(1, RunStatus::kFinished, {0.9}, "validation/accuracy",
               {{90, "training.epochs", 9, 12, true}});
  folder.write(2, RunStatus::kFinished, {0.4});
  CHECK_THAT(said(folder, {"status"}),
             EndsWith("\ntrials/0002-cell: went 12 epochs, the cell's others 9: not counted\n"
                      ".: 3 trials: 3 finished; best 30.00 % (cell 0: 1 of 3 not counted)\n"));
  CHECK(said(folder, {"resume"}) ==
        "cell    seeds  validation/accuracy\n"
        "cell 0  2/3                30.00 %  1 of 3 not counted\n"
        "not counted: cell 0, seed 1 (went 12 epochs, the cell's others 9)\n"
        "3 trials: 3 finished\n"
        "best: ./best -> trials/0001-cell\n"
        "      of cell 0 (1 of 3 not counted), the seed nearest the mean over 2 (20.00 %, mean "
        "30.00 %): the best seed would be luck\n"
        "sweep: .\n");
  const Json summary = json_of(folder / "sweep.json");
  CHECK(summary.at("trials")[1].at("not_counted") == "went 12 epochs, the cell's others 9");
  CHECK_FALSE(summary.at("trials")[0].contains("not_counted"));
  const Json rows = Json::parse(said(folder, {"status", "--json"}));
  CHECK(rows[1].at("not_counted") == "went 12 epochs, the cell's others 9");
}

TEST_CASE("a sweep without a run that finished has no best, and says so") {
  const SweepFolder folder(1, "{}");
  folder.write(0, RunStatus::kDiverged, {0.9});
  CHECK(said(folder, {"resume"}, 1) ==
        "cell    seeds  validation/accuracy\n"
        "cell 0  0/1                      -  diverged\n"
        "1 trial: 1 diverged\n"
        "no best: no trial has finished\n"
        "run what failed again with: runner resume . --retry-failed\n");
  CHECK(Json::parse(said(folder, {"resume", "--json"}, 1)).at("best").is_null());
}

TEST_CASE("verbs that are of one run name the runs of a sweep") {
  const SweepFolder folder(2, "{}");
  const std::string runs = "; runs of the sweep: trials/0001-cell, trials/0002-cell\n";
  const auto refused = [&](const std::vector<std::string>& arguments) {
    const Result result = runner(arguments, folder.path());
    CHECK(result.code == 2);
    return result.err;
  };
  const std::string sweep = "error: . holds a sweep of 2 runs, not one" + runs;
  CHECK(refused({"test", "."}) == sweep);
  CHECK(refused({"predict", ".", "x.png"}) == sweep);
  CHECK(refused({"export", ".", "x.safetensors"}) == sweep);
  CHECK(refused({"plot", "attention", "."}) == sweep);
  const std::string best =
      "error: best: the sweep has no best before all of its trials have ended" + runs;
  CHECK(refused({"test", "best"}) == best);
  CHECK(refused({"resume", "best"}) == best);
  CHECK(refused({"compare", "best"}) == best);
}

}  // namespace
}  // namespace vitrine

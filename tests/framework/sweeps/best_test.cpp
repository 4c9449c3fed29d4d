#include "framework/sweeps/best.h"

#include "framework/files/json.h"
#include "framework/runs/find_runs.h"
#include "framework/runs/run_directory.h"
#include "framework/sweeps/run_sweep.h"
#include "tests/framework/sweeps/support.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

// The folder of the run that stands for the sweep, and why.
std::string best_of(const SweepFolder& folder) {
  const Sweep sweep = Sweep::open(folder.path());
  const auto best = best_run(sweep);
  return best ? sweep.run(best->trial).string() + " " + words_of(sweep, *best) : "none";
}

void choose(const SweepFolder& folder) {
  Sweep sweep = Sweep::open(folder.path());
  choose_best(sweep);
}

std::string link_of(const SweepFolder& folder) {
  std::error_code error;
  return fs::read_symlink(folder / "best", error).string();
}

nlohmann::ordered_json summary_of(const SweepFolder& folder) {
  return parse_ordered_json(read_file(folder / "sweep.json", 1 << 20), "sweep.json").at("best");
}

TEST_CASE("the best run is the one nearest its cell's mean, not the best of its seeds") {
  const SweepFolder folder(6, "{}", 3);
  folder.write(0, RunStatus::kFinished, {0.9});
  folder.write(1, RunStatus::kFinished, {0.1});
  folder.write(2, RunStatus::kFinished, {0.1});
  folder.write(3, RunStatus::kFinished, {0.3});
  folder.write(4, RunStatus::kFinished, {0.6});
  CHECK(best_of(folder) == "none");
  folder.write(5, RunStatus::kFinished, {0.4, 0.5});
  CHECK(best_of(folder) ==
        "trials/0006-cell of cell 1, the seed nearest the mean over 3 (50.00 %, mean 46.67 %): the "
        "best seed would be luck");
}

TEST_CASE("of two seeds, both of which are as near, the first is taken") {
  for (const double first : {0.1, 0.7}) {
    const SweepFolder folder(2, "{}", 2);
    folder.write(0, RunStatus::kFinished, {first});
    folder.write(1, RunStatus::kFinished, {0.4});
    CHECK_THAT(best_of(folder), StartsWith("trials/0001-cell of cell 0, the seed nearest"));
  }
}

TEST_CASE("of a cell with one seed there is nothing to choose") {
  const SweepFolder folder(2, "{metric: validation/loss}");
  folder.write(0, RunStatus::kFinished, {0.9}, "validation/loss");
  folder.write(1, RunStatus::kFinished, {0.5}, "validation/loss");
  CHECK(best_of(folder) == "trials/0002-cell of cell 1: 0.5000");
}

TEST_CASE("a survivor is the best run where nothing else is there, which is said") {
  const SweepFolder folder(2, "{}", 2);
  folder.write(0, RunStatus::kDiverged, {0.9});
  CHECK(best_of(folder) == "none");
  folder.write(1, RunStatus::kDiverged, {0.5});
  CHECK(best_of(folder) == "none");
  folder.write(1, RunStatus::kFinished, {0.5});
  CHECK(best_of(folder) == "trials/0002-cell of cell 0 (1 of 2 diverged): 50.00 %");
}

TEST_CASE("the link leads to the best run from wherever the sweep lies, and follows it") {
  const SweepFolder folder(2, "{}");
  choose(folder);
  CHECK(link_of(folder) == "");
  folder.write(0, RunStatus::kFinished, {0.9});
  folder.write(1, RunStatus::kFinished, {0.5});
  choose(folder);
  CHECK(link_of(folder) == "trials/0001-cell");
  CHECK(summary_of(folder) == "trials/0001-cell");
  CHECK(RunDirectory::open(folder / "best").path() == folder.run(0));
  CHECK(find_runs(folder.path()).runs == std::vector<fs::path>{folder.run(0), folder.run(1)});
  folder.write(1, RunStatus::kFinished, {0.95});
  choose(folder);
  CHECK(link_of(folder) == "trials/0002-cell");
  CHECK(summary_of(folder) == "trials/0002-cell");
  // While one is run again it stays.
  folder.write(1, RunStatus::kRunning, {0.2});
  choose(folder);
  CHECK(link_of(folder) == "trials/0002-cell");
  folder.write(0, RunStatus::kDiverged, {});
  folder.write(1, RunStatus::kDiverged, {});
  choose(folder);
  CHECK(link_of(folder) == "");
  CHECK(summary_of(folder).is_null());
}

TEST_CASE("where no link can be, sweep.json names the best run") {
  const SweepFolder folder(1, "{}");
  write_plain(folder / "best", "somebody's own");
  folder.write(0, RunStatus::kFinished, {0.9});
  Sweep sweep = Sweep::open(folder.path());
  choose_best(sweep);
  CHECK_FALSE(sweep.has_best_link());
  CHECK(read_file(folder / "best", 99) == "somebody's own");
  CHECK(summary_of(folder) == "trials/0001-cell");
}

TEST_CASE("the runs on fresh seeds decide once all of them have ended") {
  const SweepFolder folder(4, "{}", 2);
  for (size_t i = 0; i < 4; ++i) folder.write(i, RunStatus::kFinished, {0.1 * i});
  Sweep sweep = Sweep::open(folder.path());
  // Cell 1, then cell 0, on a fresh seed each.
  sweep.add_confirmations({{2, 7}, {0, 7}});
  const auto confirm = [&](size_t trial, double value) {
    Metrics metrics;
    metrics.status = RunStatus::kFinished;
    metrics.add_epoch({{"epoch", 1}, {"step", 10}, {"validation/accuracy", value}});
    metrics.write(sweep.folder(trial) / "metrics.json");
  };
  confirm(4, 0.1);
  CHECK_THAT(best_of(folder), StartsWith("trials/0003-cell of cell 1, the seed nearest"));
  confirm(5, 0.2);
  CHECK(best_of(folder) ==
        "trials/0006-confirm-cell-0-seed-7 of cell 0, confirmed on fresh seeds: 20.00 %");
}

std::string refusal(const fs::path& place) {
  return message_of(ExitCode::kUsage, [&] { refuse_sweep(place); });
}

TEST_CASE("where one run is wanted, a sweep names its runs, the best first") {
  const SweepFolder folder(9, "{}", 3);
  const std::string sweep = folder.path(), trials = sweep + "/trials/";
  refuse_sweep(folder.run(0));
  refuse_sweep(sweep + "/../nothing");
  const std::string first = "; runs of the sweep: " + trials + "0001-cell, " + trials +
                            "0002-cell, " + trials + "0003-cell";
  CHECK(refusal(sweep) == sweep + " holds a sweep of 9 runs, not one" + first);
  CHECK(refusal(sweep + "/best") ==
        sweep + "/best: the sweep has no best before all of its trials have ended" + first);
  for (size_t i = 0; i < 9; ++i)
    folder.write(i, i == 8 ? RunStatus::kDiverged : RunStatus::kFinished, {0.1 * i});
  choose(folder);
  const std::string best = "; runs of the sweep: " + sweep + "/best, " + trials + "0005-cell, " +
                           trials + "0002-cell, " + trials + "0007-cell";
  CHECK(refusal(sweep + "/") == sweep + "/ holds a sweep of 9 runs, not one" + best);
  CHECK(refusal(sweep + "/bset") == sweep + "/bset is no run: there is no such directory" + best);
  fs::remove(folder / "best");
  CHECK_THAT(refusal(sweep + "/best"),
             StartsWith(sweep + "/best: the sweep has no best yet: runner resume " + sweep +
                        " chooses it; "));
}

}  // namespace
}  // namespace vitrine

#include "framework/sweeps/ranking.h"

#include "framework/sweeps/run_sweep.h"
#include "tests/framework/sweeps/support.h"

namespace vitrine {
namespace {

using Texts = std::vector<std::string>;

// A line a cell, best first: "cell 1: 0.2500 of 2 of 3, 1 of 3 diverged".
Texts ranked(const SweepFolder& folder, bool confirming = false) {
  Texts out;
  for (const CellResult& cell : ranking(Sweep::open(folder.path()), confirming)) {
    const std::string remark = cell.remark();
    out.push_back(fmt::format("{}: {:.4f} of {} of {}{}", cell.cell, cell.mean(),
                              cell.values.size(), cell.seeds(),
                              remark.empty() ? "" : ", " + remark));
  }
  return out;
}

TEST_CASE("cells are ranked by the mean over their seeds, smaller losses first") {
  const SweepFolder accuracy(4, "{}", 2);
  for (size_t i = 0; i < 4; ++i)
    accuracy.write(i, RunStatus::kFinished, {0.1 * static_cast<double>(i), 0});
  CHECK(ranked(accuracy) == Texts{"cell 1: 0.2500 of 2 of 2", "cell 0: 0.0500 of 2 of 2"});
  const SweepFolder loss(4, "{metric: validation/loss}", 2);
  for (size_t i = 0; i < 4; ++i)
    loss.write(i, RunStatus::kFinished, {0.1 * static_cast<double>(i), 1}, "validation/loss");
  CHECK(ranked(loss) == Texts{"cell 0: 0.0500 of 2 of 2", "cell 1: 0.2500 of 2 of 2"});
}

TEST_CASE("of a sweep that an older version planned the runs tell what its metric means") {
  const SweepFolder folder(4, "{metric: validation/loss}", 2);
  auto plan = nlohmann::ordered_json::parse(read_file(folder / "plan.json", 1 << 20));
  plan.erase("chosen_by");
  write_plain(folder / "plan.json", plan.dump());
  for (size_t i = 0; i < 4; ++i) {
    Metrics metrics;
    metrics.status = RunStatus::kFinished;
    metrics.metrics["validation/loss"] = {"min", "nats"};
    metrics.add_epoch({{"epoch", 1}, {"step", 10}, {"validation/loss", i < 2 ? 0.05 : 0.25}});
    metrics.write(folder.run(i) / "metrics.json");
  }
  CHECK(ranked(folder) == Texts{"cell 0: 0.0500 of 2 of 2", "cell 1: 0.2500 of 2 of 2"});
}

TEST_CASE("a cell stands where its failures put it, whatever its survivors reached") {
  const SweepFolder folder(15, "{}", 3);
  folder.write(0, RunStatus::kFinished, {0.9});
  folder.write(1, RunStatus::kDiverged, {0.8});
  folder.write(2, RunStatus::kDiverged, {});
  for (size_t i = 3; i < 6; ++i) folder.write(i, RunStatus::kFinished, {0.1});
  folder.write(6, RunStatus::kFinished, {0.5});
  folder.write(7, RunStatus::kFinished, {0.5});
  write_plain(folder.run(8) / "output.txt", "error: no room\nexit code 1\n");
  for (size_t i = 9; i < 12; ++i) folder.write(i, RunStatus::kDiverged, {1});
  folder.write(12, RunStatus::kFinished, {0.05});  // 13 and 14 wait
  CHECK(ranked(folder) == Texts{"cell 1: 0.1000 of 3 of 3", "cell 4: 0.0500 of 1 of 3",
                                "cell 2: 0.5000 of 2 of 3, 1 of 3 failed",
                                "cell 0: 0.9000 of 1 of 3, 2 of 3 diverged",
                                "cell 3: nan of 0 of 3, 3 of 3 diverged"});
}

TEST_CASE("of a cell with one seed the remark is its status alone") {
  const SweepFolder folder(2, "{}");
  folder.write(0, RunStatus::kDiverged, {0.9});
  folder.write(1, RunStatus::kFinished, {0.1});
  CHECK(ranked(folder) == Texts{"cell 1: 0.1000 of 1 of 1", "cell 0: nan of 0 of 1, diverged"});
}

TEST_CASE("cells that are under way stand behind those that are complete") {
  const SweepFolder folder(4, "{method: asha, trials: 2, parameters: {a: {min: 0, max: 1}}}", 2);
  folder.write(0, RunStatus::kFinished, {0.9});
  folder.write(1, RunStatus::kStopped, {0.8});
  folder.write(2, RunStatus::kFinished, {0.1});
  folder.write(3, RunStatus::kFinished, {0.1});
  CHECK(ranked(folder) ==
        Texts{"cell 1: 0.1000 of 2 of 2", "cell 0: 0.9000 of 1 of 2, 1 of 2 paused"});
  CHECK(has_ended(Sweep::open(folder.path()), false));
  folder.write(1, RunStatus::kRunning, {0.8});
  CHECK_FALSE(has_ended(Sweep::open(folder.path()), false));
}

TEST_CASE("a value that is not finite is no value") {
  const SweepFolder folder(2, "{metric: validation/loss}");
  folder.write(0, RunStatus::kFinished, {NAN, 0.5, 0.7}, "validation/loss");
  folder.write(1, RunStatus::kFinished, {NAN}, "validation/loss");
  CHECK(ranked(folder) == Texts{"cell 0: 0.5000 of 1 of 1", "cell 1: nan of 0 of 1, not counted"});
}

// Finishes a trial, which resumes have changed.
void write(const SweepFolder& folder, size_t trial, double value,
           const std::vector<Change>& changes = {}, RunStatus status = RunStatus::kFinished) {
  folder.write(trial, status, {value}, "validation/accuracy", changes);
}

const Change kFurther = {90, "training.epochs", 9, 12, true};

Change rate(double from, double to, int64_t step) {
  return {step, "optimizer.lr", from, to, false};
}

// "1: went 4 epochs, the cell's others 2"
Texts apart(const SweepFolder& folder) {
  Texts out;
  for (const auto& [trial, reason] : apart_trials(Sweep::open(folder.path())))
    out.push_back(fmt::format("{}: {}", trial, reason));
  return out;
}

TEST_CASE("a trial that was taken further is not averaged with its cell's others") {
  const SweepFolder folder(6, "{}", 3);
  for (size_t i = 0; i < 6; ++i) write(folder, i, i == 1 ? 0.9 : 0.1 * static_cast<double>(i / 3));
  CHECK(apart(folder).empty());
  write(folder, 1, 0.9, {kFurther});
  CHECK(ranked(folder) ==
        Texts{"cell 1: 0.1000 of 3 of 3", "cell 0: 0.0000 of 2 of 3, 1 of 3 not counted"});
  CHECK(apart(folder) == Texts{"1: went 12 epochs, the cell's others 9"});
  // Nor where most of them were, and while one is on its way.
  write(folder, 2, 0.9,
        {{90, "training.epochs", 9, 10, true}, {100, "training.epochs", 10, 12, true}});
  write(folder, 0, 0.2);
  write(folder, 1, 0.9, {kFurther}, RunStatus::kStopped);
  CHECK(ranked(folder) ==
        Texts{"cell 0: 0.2000 of 1 of 3, 2 of 3 not counted", "cell 1: 0.1000 of 3 of 3"});
  CHECK(apart(folder) ==
        Texts{"1: goes 12 epochs, the cell's others 9", "2: went 12 epochs, the cell's others 9"});
}

TEST_CASE("a trial that was taken further before the others of its cell began is none of them") {
  const SweepFolder folder(2, "{}", 2);
  write(folder, 0, 0.9, {kFurther});
  CHECK(ranked(folder) == Texts{"cell 0: nan of 0 of 2, 1 of 2 not counted"});
  CHECK(apart(folder) == Texts{"0: went 12 epochs, the cell's others 9"});
}

TEST_CASE("a trial that was changed on the way is not averaged with its cell's others") {
  const SweepFolder folder(3, "{}", 3);
  write(folder, 0, 0.9, {rate(0.1, 0.5, 20)});
  write(folder, 1, 0.2);
  CHECK(ranked(folder) == Texts{"cell 0: 0.2000 of 1 of 3, 1 of 3 not counted"});
  CHECK(apart(folder) == Texts{"0: optimizer.lr is 0.5 from step 20 on, was 0.1"});
  // One that diverged so is no failure of the cell; one that was changed back has trained
  // otherwise.
  write(folder, 0, 0.9, {rate(0.1, 0.5, 20), kFurther}, RunStatus::kDiverged);
  write(folder, 2, 0.4, {rate(0.1, 0.5, 20), rate(0.5, 0.1, 30)});
  CHECK(ranked(folder) == Texts{"cell 0: 0.2000 of 1 of 3, 2 of 3 not counted"});
  const std::string changed = "optimizer.lr is 0.5 from step 20 on, was 0.1; ";
  CHECK(apart(folder) == Texts{"0: " + changed + "goes 12 epochs, the cell's others 9",
                               "2: " + changed + "optimizer.lr is 0.1 from step 30 on, was 0.5"});
}

TEST_CASE("what a resume changed without an effect on results parts no trial") {
  const SweepFolder folder(2, "{}", 2);
  write(folder, 0, 0.9, {{20, "environment.isa", "avx2", "avx512", false}});
  write(folder, 1, 0.1, {kFurther, {90, "training.epochs", 12, 9, true}});
  CHECK(ranked(folder) == Texts{"cell 0: 0.5000 of 2 of 2"});
}

TEST_CASE("a cell all of whose trials were changed stands behind those that were not") {
  const SweepFolder folder(6, "{}", 2);
  for (size_t i = 0; i < 4; ++i) write(folder, i, i < 2 ? 0.9 : 0.1);
  write(folder, 0, 0.9, {kFurther});
  write(folder, 1, 0.9, {kFurther});
  write(folder, 4, 0.5, {kFurther});
  write(folder, 5, 0.5, {rate(0.1, 0.5, 20)});
  CHECK(ranked(folder) ==
        Texts{"cell 1: 0.1000 of 2 of 2",
              "cell 0: 0.9000 of 2 of 2, went 12 epochs, planned were 9",
              "cell 2: 0.5000 of 1 of 2, 1 of 2 not counted, went 12 epochs, planned were 9"});
  CHECK(apart(folder) == Texts{"5: optimizer.lr is 0.5 from step 20 on, was 0.1"});
}

// Confirms without running anything.
struct NoLauncher : Launcher {
  ExitCode launch(Sweep&, Scheduler&, SweepObserver&) override { return ExitCode::kDone; }
};

struct Warned : SweepObserver {
  void started(size_t) override {}
  void ended(size_t) override {}
  void tick() override {}
  ExitCode stop_requested() override { return ExitCode::kDone; }
  void warning(const std::string& text) override { warnings.push_back(text); }
  Texts warnings;
};

// The cells that are run again, and before them what was warned of.
Texts confirmed(const SweepFolder& folder, int64_t top) {
  Sweep sweep = Sweep::open(folder.path());
  NoLauncher launcher;
  Warned observer;
  run_sweep(sweep, launcher, observer, false, Confirmation{top, 1});
  Texts out = observer.warnings;
  for (const Trial& trial : sweep.trials()) {
    if (trial.confirms) out.push_back(trial.cell);
  }
  return out;
}

TEST_CASE("--confirm takes no cell with failures while there is one without") {
  const SweepFolder folder(6, "{}", 2);
  folder.write(0, RunStatus::kFinished, {0.9});
  folder.write(1, RunStatus::kDiverged, {0.8});
  folder.write(2, RunStatus::kFinished, {0.1});
  folder.write(3, RunStatus::kFinished, {0.1});
  folder.write(4, RunStatus::kDiverged, {0.1});
  folder.write(5, RunStatus::kDiverged, {0.1});
  CHECK(confirmed(folder, 1) == Texts{"cell 1"});
}

TEST_CASE("--confirm says that it found fewer cells, and why") {
  const SweepFolder folder(4, "{}", 2);
  folder.write(0, RunStatus::kFinished, {0.9});
  folder.write(1, RunStatus::kDiverged, {0.8});
  folder.write(2, RunStatus::kFinished, {0.1});
  folder.write(3, RunStatus::kFinished, {0.1});
  CHECK(confirmed(folder, 2) ==
        Texts{"--top 2: there were no more than 1 cell with a finished trial and without failures",
              "cell 1"});
}

TEST_CASE("--confirm takes a cell with failures where nothing else is there, and says so") {
  const SweepFolder folder(4, "{}", 2);
  folder.write(0, RunStatus::kFinished, {0.9});
  folder.write(1, RunStatus::kDiverged, {0.8});
  folder.write(2, RunStatus::kDiverged, {0.1});
  folder.write(3, RunStatus::kDiverged, {0.1});
  CHECK(confirmed(folder, 1) ==
        Texts{"--confirm runs cell 0 again (1 of 2 diverged): there is no better cell", "cell 0"});
  const SweepFolder none(2, "{}");
  none.write(0, RunStatus::kDiverged, {0.9});
  none.write(1, RunStatus::kDiverged, {0.8});
  CHECK(confirmed(none, 1) ==
        Texts{"--confirm: no trial has finished, so there is no cell to run again"});
}

}  // namespace
}  // namespace vitrine

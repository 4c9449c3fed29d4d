#include <deque>

#include "framework/sweeps/scheduler.h"
#include "tests/framework/sweeps/support.h"

namespace vitrine {
namespace {

// Runs what the scheduler gives out, one after another; the accuracy of a trial is its number in
// hundredths, and grows by a thousandth an epoch.
class Simulation {
 public:
  Simulation(size_t trials, const std::string& options, size_t seeds = 1)
      : folder_(trials, options, seeds), sweep_(Sweep::open(folder_.path())) {}

  // The tasks in their order, as "trial to epoch".
  std::string run(size_t most = 100) {
    const auto searcher = sweep_.options().searcher();
    const auto made = searcher->scheduler(sweep_, false, nullptr);
    Scheduler& scheduler = *made;
    std::string out;
    for (size_t i = 0; i < most; ++i) {
      const auto task = scheduler.next();
      if (!task) break;
      out += finish(*task);
      scheduler.ended(*task);
    }
    done_.clear();
    for (size_t i = 0; i < sweep_.trials().size(); ++i) done_.push_back(scheduler.is_done(i));
    return out;
  }

  // Leaves the trial after so many epochs.
  void leave(size_t trial, RunStatus status, int64_t epochs,
             const std::vector<Change>& changes = {}) {
    std::vector<double> values;
    for (int64_t epoch = 1; epoch <= epochs; ++epoch)
      values.push_back(0.01 * static_cast<double>(trial) + 0.001 * static_cast<double>(epoch));
    folder_.write(trial, status, values, sweep_.chosen_by().name, changes);
    sweep_.refresh(trial);
  }

  Sweep& sweep() { return sweep_; }
  const std::vector<bool>& done() const { return done_; }

 private:
  std::string finish(const TrialStart& task) {
    const int64_t epochs = task.stop_after ? *task.stop_after / 10 : 9;
    leave(task.trial, task.stop_after ? RunStatus::kStopped : RunStatus::kFinished, epochs);
    return fmt::format("{} to {}; ", task.trial, epochs);
  }

  SweepFolder folder_;
  Sweep sweep_;
  std::vector<bool> done_;
};

constexpr const char* kAsha = "{method: asha, trials: 9, parameters: {a: {min: 0, max: 1}}}";

TEST_CASE("the rungs are min_epochs times eta each, below the full length") {
  // A lone trial comes to each of them.
  const auto rungs = [](const std::string& options) {
    return Simulation(1, "{method: {type: asha" + options + "}, trials: 1}").run();
  };
  CHECK(rungs("") == "0 to 1; 0 to 3; 0 to 9; ");
  CHECK(rungs(", min_epochs: 2, eta: 2") == "0 to 2; 0 to 4; 0 to 8; 0 to 9; ");
  CHECK(rungs(", eta: 9223372036854775807") == "0 to 1; 0 to 9; ");
  CHECK(rungs(", min_epochs: 3") == "0 to 3; 0 to 9; ");
}

TEST_CASE("a sweep of an older version, which wrote these options beside others, goes on") {
  CHECK(Simulation(1, "{method: asha, min_epochs: 2, eta: 2, trials: 1}").run() ==
        "0 to 2; 0 to 4; 0 to 8; 0 to 9; ");
  CHECK(Simulation(1, "{method: grid, min_epochs: 1, eta: 3}").run() == "0 to 9; ");
  CHECK(Simulation(1, "{method: grid, launcher: slurm}").sweep().options().is_elsewhere());
}

TEST_CASE("asha goes on with the best third of each rung, as soon as there is one") {
  Simulation rising(9, kAsha);
  CHECK(rising.run() ==
        "0 to 1; 1 to 1; 2 to 1; 2 to 3; 3 to 1; 3 to 3; 4 to 1; 4 to 3; 4 to 9; 5 to 1; 5 to 3; "
        "5 to 9; 6 to 1; 6 to 3; 6 to 9; 7 to 1; 7 to 3; 7 to 9; 8 to 1; 8 to 3; 8 to 9; ");
  CHECK(std::count(rising.done().begin(), rising.done().end(), true) == 9);
}

TEST_CASE("the best trial is trained to its end, be there ever so few") {
  Simulation two(2, kAsha);
  CHECK(two.run() == "0 to 1; 1 to 1; 1 to 3; 1 to 9; ");
  CHECK(two.sweep().state(0).status == TrialStatus::kPaused);
  CHECK(two.sweep().state(1).status == TrialStatus::kFinished);
  CHECK(two.run() == "");
}

TEST_CASE("asha goes on with what was killed, before it starts anything new") {
  Simulation simulation(3, kAsha);
  simulation.leave(0, RunStatus::kStopped, 1);
  simulation.leave(1, RunStatus::kRunning, 2);  // killed on its way to epoch 3
  CHECK(simulation.run(2) == "1 to 3; 2 to 1; ");
}

TEST_CASE("a trial that diverged or failed counts as the worst of its rung") {
  for (const RunStatus status : {RunStatus::kDiverged, RunStatus::kFailed}) {
    Simulation simulation(3, kAsha);
    simulation.leave(0, status, 0);
    CHECK(simulation.run(4) == "1 to 1; 2 to 1; 2 to 3; 2 to 9; ");
    CHECK(simulation.done() == std::vector<bool>{false, true, true});
    // However good it was before.
    Simulation late(3, kAsha);
    late.leave(2, status, 1);
    CHECK(late.run() == "0 to 1; 1 to 1; 1 to 3; 1 to 9; ");
  }
}

TEST_CASE("asha prefers trials of cells without failures") {
  Simulation pairs(6, kAsha, 2);
  pairs.leave(5, RunStatus::kDiverged, 0);  // 4 is of the same cell
  CHECK(pairs.run() == "0 to 1; 1 to 1; 1 to 3; 2 to 1; 2 to 3; 3 to 1; 3 to 3; 3 to 9; 4 to 1; ");
  // One that has finished is not enough where the other of its cell diverged.
  Simulation finished(
      4, "{method: {type: asha, eta: 5}, trials: 2, parameters: {a: {min: 0, max: 1}}}", 2);
  finished.leave(3, RunStatus::kDiverged, 1);
  finished.leave(2, RunStatus::kFinished, 9);
  CHECK(finished.run() == "0 to 1; 1 to 1; 1 to 5; 1 to 9; ");
}

TEST_CASE("asha compares no trial that somebody took further") {
  const std::vector<Change> further = {{90, "training.epochs", 9, 12, true}};
  for (const size_t seeds : {1, 3}) {
    Simulation simulation(6, kAsha, seeds);
    simulation.leave(2, RunStatus::kFinished, 9, further);
    CHECK(simulation.run() ==
          "0 to 1; 1 to 1; 3 to 1; 3 to 3; 4 to 1; 4 to 3; 5 to 1; 5 to 3; 5 to 9; ");
  }
}

TEST_CASE("asha answers anew once a trial that is running has come to a rung") {
  Simulation simulation(
      3, "{method: asha, metric: validation/loss, trials: 3, parameters: {a: {min: 0, max: 1}}}");
  const auto searcher = simulation.sweep().options().searcher();
  const auto made = searcher->scheduler(simulation.sweep(), false, nullptr);
  Scheduler& scheduler = *made;
  for (size_t trial : {0, 1, 2}) {
    const auto task = scheduler.next();
    REQUIRE(task);
    CHECK(task->trial == trial);
    if (trial == 2) break;
    simulation.leave(trial, RunStatus::kStopped, 1);
    scheduler.ended(*task);
  }
  CHECK_FALSE(scheduler.next());
  CHECK_FALSE(scheduler.next());
  simulation.leave(2, RunStatus::kRunning, 1);
  const auto promoted = scheduler.next();
  REQUIRE(promoted);
  CHECK(promoted->trial == 0);
  CHECK(promoted->stop_after == 30);
}

TEST_CASE("asha prefers small losses") {
  Simulation simulation(
      3, "{method: asha, metric: validation/loss, trials: 3, parameters: {a: {min: 0, max: 1}}}");
  CHECK(simulation.run() == "0 to 1; 1 to 1; 2 to 1; 0 to 3; 0 to 9; ");
}

}  // namespace
}  // namespace vitrine

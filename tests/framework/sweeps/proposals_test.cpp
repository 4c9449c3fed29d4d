#include "framework/sweeps/proposals.h"

#include <cmath>
#include <set>

#include "framework/runs/metrics.h"
#include "framework/sweeps/growth.h"
#include "framework/sweeps/ranking.h"
#include "tests/framework/files/support.h"
#include "tests/framework/sweeps/fake_engine.h"

// Sweeps whose cells are proposed one by one; what trials come to is written by the tests.
namespace vitrine {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

class Searched : public TemporaryFolder {
 public:
  explicit Searched(Names assignments, const std::string& method = "{type: tpe, startup: 3}")
      : assignments_(std::move(assignments)) {
    write_plain(*this / "small.yaml", "{}\n");
    assignments_.push_back("sweep.method=" + method);
  }

  Sweep create(const std::string& name = "sweep") const {
    const SweepSpec spec = read_spec({*this / "small.yaml"}, assignments_);
    return Sweep::create(spec, make_plan(spec, {2, {}}, engine_), *this / name);
  }
  Proposals proposals(Sweep& sweep, std::optional<size_t> most_open = {}) const {
    const SweepSpec spec = read_spec({(sweep.path() / "sweep.yaml").string()}, {}, sweep.configs());
    return {sweep,
            spec,
            sweep.grown(),
            engine_,
            1,
            most_open,
            [](const std::function<void()>& act) { act(); }};
  }

 private:
  Names assignments_;
  mutable FakeEngine engine_;
};

void leave(Sweep& sweep, size_t trial, RunStatus status, double value) {
  Metrics metrics;
  metrics.status = status;
  metrics.add_epoch({{"epoch", 3}, {"step", 30}, {"validation/accuracy", value}});
  metrics.write(sweep.folder(trial) / "metrics.json");
  sweep.refresh(trial);
}

// The nearer its rate is to 0.01, the better; three heads are better than two.
void train(Sweep& sweep, size_t trial) {
  const auto& values = sweep.trials()[trial].values;
  const double lr = values.value("lr", 0.01), heads = values.value("n_heads", 2.0);
  leave(sweep, trial, RunStatus::kFinished,
        0.5 - 0.1 * std::abs(std::log10(lr) + 2) + 0.1 * (heads - 2));
}

Names cells(const Sweep& sweep) {
  Names out;
  for (const Trial& trial : sweep.trials()) out.push_back(trial.cell);
  return out;
}

// All of them, one after the other, as with --jobs 1.
void run(const Searched& folder, Sweep& sweep) {
  for (size_t i = 0; i < sweep.trials().size(); ++i) {
    if (sweep.state(i).status == TrialStatus::kWaiting) train(sweep, i);
  }
  Proposals proposals = folder.proposals(sweep);
  for (;;) {
    const auto added = proposals.next();
    if (added.empty()) return;
    for (const size_t trial : added) train(sweep, trial);
  }
}

const Names kRates = {"lr=log:1e-6..1.0", "n_heads=1..3", "hidden_d=6,12", "sweep.trials=12"};

TEST_CASE("cells are drawn by chance, then proposed where earlier ones were good") {
  const Searched folder(kRates);
  Sweep sweep = folder.create();
  CHECK(sweep.trials().size() == 3);
  CHECK(sweep.to_come() == 9);
  CHECK(sweep.planned_trials() == 12);
  CHECK_FALSE(has_ended(sweep, false));
  run(folder, sweep);
  CHECK(sweep.trials().size() == 12);
  CHECK(sweep.to_come() == 0);
  CHECK(has_ended(sweep, false));
  const Names all = cells(sweep);
  CHECK(std::set<std::string>(all.begin(), all.end()).size() == 12);
}

TEST_CASE("a search that was killed after any of its proposals goes on with the same") {
  const Searched folder(kRates);
  Sweep whole = folder.create("whole");
  run(folder, whole);
  {
    const Sweep begun = folder.create("killed");
    REQUIRE(begun.trials().size() == 3);
  }
  // Each step in a process of its own.
  for (size_t i = 0; i < 12; ++i) {
    {
      Sweep sweep = Sweep::open_locked(folder / "killed");
      Proposals proposals = folder.proposals(sweep);
      if (i >= 3) CHECK(proposals.next() == std::vector<size_t>{i});
    }
    // What was proposed is there before anything has run.
    Sweep sweep = Sweep::open_locked(folder / "killed");
    CHECK(sweep.state(i).status == TrialStatus::kWaiting);
    CHECK(cells(sweep)[i] == cells(whole)[i]);
    train(sweep, i);
  }
  const Sweep killed = Sweep::open(folder / "killed");
  CHECK(cells(killed) == cells(whole));
  CHECK(killed.to_come() == 0);
  for (size_t i = 0; i < 12; ++i) {
    CHECK(killed.trials()[i].point == whole.trials()[i].point);
    CHECK(killed.trials()[i].saw == whole.trials()[i].saw);
  }
}

TEST_CASE("what a proposal was made from is written down with it") {
  const Searched folder(kRates);
  Sweep sweep = folder.create();
  leave(sweep, 0, RunStatus::kFinished, 0.25);
  leave(sweep, 1, RunStatus::kDiverged, 0.9);
  Proposals proposals = folder.proposals(sweep);
  REQUIRE(proposals.next() == std::vector<size_t>{3});
  CHECK(sweep.trials()[3].saw.dump() == R"({"1":0.25,"2":"failed","3":"running"})");
  leave(sweep, 2, RunStatus::kFinished, 0.5);
  REQUIRE(proposals.next() == std::vector<size_t>{4});
  CHECK(sweep.trials()[4].saw.dump() == R"({"3":0.5,"4":"running"})");

  Sweep again = Sweep::open(folder / "sweep");
  CHECK(seen_by(again, 2).empty());
  const auto seen = seen_by(again, 4);
  REQUIRE(seen.size() == 4);
  using State = Observation::State;
  CHECK(seen[0].state == State::kKnown);
  CHECK(seen[0].loss == -0.25);
  CHECK(seen[0].point == again.trials()[0].point);
  CHECK(seen[1].state == State::kFailed);
  CHECK(seen[2].loss == -0.5);
  CHECK(seen[3].state == State::kRunning);
  CHECK(observations(again).size() == 5);
}

TEST_CASE("a cell of several seeds counts once all of them have ended, by their mean") {
  const Searched folder({"lr=log:1e-6..1.0", "seed=0..1", "sweep.trials=5"});
  Sweep sweep = folder.create();
  REQUIRE(sweep.trials().size() == 6);
  CHECK(sweep.planned_trials() == 10);
  leave(sweep, 0, RunStatus::kFinished, 0.2);
  leave(sweep, 1, RunStatus::kFinished, 0.4);
  leave(sweep, 2, RunStatus::kFinished, 0.9);
  leave(sweep, 4, RunStatus::kFinished, 0.9);
  leave(sweep, 5, RunStatus::kFailed, 0.9);
  Proposals proposals = folder.proposals(sweep);
  CHECK(proposals.next() == std::vector<size_t>{6, 7});
  CHECK(sweep.trials()[6].cell == sweep.trials()[7].cell);
  CHECK(sweep.trials()[7].seed == 1);
  CHECK(sweep.trials()[6].saw.dump() == R"({"1":0.30000000000000004,"2":"running","3":"failed"})");
}

TEST_CASE("no more is proposed than may be under way") {
  const Searched folder(kRates);
  Sweep sweep = folder.create();
  Proposals proposals = folder.proposals(sweep, 4);
  CHECK(proposals.next().size() == 1);
  CHECK(proposals.next().empty());
  train(sweep, 0);
  train(sweep, 3);
  CHECK(proposals.next().size() == 1);
  CHECK(proposals.next().size() == 1);
  CHECK(proposals.next().empty());
  CHECK(sweep.to_come() == 6);
}

TEST_CASE("a search ends where nothing that is possible is left") {
  // Of six combinations hidden_d=8 n_heads=3 is impossible.
  const Searched folder({"hidden_d=8,12", "n_heads=1..3", "sweep.trials=9"});
  Sweep sweep = folder.create();
  run(folder, sweep);
  CHECK(sweep.trials().size() == 5);
  CHECK(sweep.to_come() == 0);
  REQUIRE(sweep.left_out().size() == 1);
  CHECK(sweep.left_out()[0].label == "hidden_d=8 n_heads=3");
  const Sweep again = Sweep::open(folder / "sweep");
  CHECK(has_ended(again, false));
  CHECK(again.left_out().size() == 1);
}

TEST_CASE("a search that has ended takes more trials and seeds, and keeps what it chooses among") {
  const Searched folder(kRates);
  FakeEngine engine;
  {
    Sweep sweep = folder.create();
    run(folder, sweep);
  }
  const auto grow = [&](const std::string& assignment) {
    Sweep sweep = Sweep::open(folder / "sweep");
    const SweepSpec spec = grown_spec(sweep, {assignment});
    return sweep.grow(spec, make_plan(spec, {2, {}}, engine, sweep.grown()));
  };
  CHECK(message_of(ExitCode::kUsage, [&] { grow("lr=log:1e-7..1.0"); }) ==
        "command line:1:1: lr: tpe keeps what it chooses among\n"
        "    1 | lr=log:1e-7..1.0\n"
        "      | ^ it takes more trials and more seeds; other values are for a new sweep");
  CHECK(grow("sweep.trials=15").added == 0);
  Sweep sweep = Sweep::open(folder / "sweep");
  CHECK(sweep.to_come() == 3);
  run(folder, sweep);
  CHECK(sweep.trials().size() == 15);

  // As if it had been to have as many from the start.
  Names more = kRates;
  more.back() = "sweep.trials=15";
  const Searched other(more);
  Sweep whole = other.create();
  run(other, whole);
  CHECK(cells(sweep) == cells(whole));
}

TEST_CASE("asha draws its cells by its sampler") {
  const Searched folder({});
  const auto searcher = [&](const std::string& method) {
    return read_spec({folder / "small.yaml"},
                     {"lr=1,2", "sweep.trials=6", "sweep.method=" + method})
        .options.searcher();
  };
  CHECK_FALSE(searcher("asha")->startup());
  const auto learning = searcher("{type: asha, sampler: {type: tpe, startup: 4}}");
  CHECK(learning->startup() == 4);
  CHECK(learning->pauses());
  CHECK(learning->propose({{}}, {}, 3) == searcher("tpe")->propose({{}}, {}, 3));
}

}  // namespace
}  // namespace vitrine

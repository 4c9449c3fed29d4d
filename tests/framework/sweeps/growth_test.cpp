#include "framework/sweeps/growth.h"

#include <set>

#include "framework/config/yaml.h"
#include "framework/files/file.h"
#include "framework/files/json.h"
#include "framework/runs/find_runs.h"
#include "framework/runs/run_directory.h"
#include "tests/framework/files/support.h"
#include "tests/framework/sweeps/fake_engine.h"

// Plans, sweeps that are made from them, and how these grow; configs are those of a fake engine.
namespace vitrine {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

class Folder : public TemporaryFolder {
 public:
  explicit Folder(const std::string& config = "{}") { write_plain(file(), config + "\n"); }
  std::string file() const { return *this / "small.yaml"; }
  Plan plan(const std::vector<std::string>& assignments) const {
    return make_plan(read_spec({file()}, assignments), {2, {}}, engine_);
  }
  Sweep create(const std::vector<std::string>& assignments,
               const std::string& name = "sweep") const {
    const SweepSpec spec = read_spec({file()}, assignments);
    return Sweep::create(spec, make_plan(spec, {2, {}}, engine_), *this / name);
  }
  // What is added; the sweep is opened anew for it.
  Growth grow(const std::vector<std::string>& assignments,
              const std::string& name = "sweep") const {
    Sweep sweep = Sweep::open(*this / name);
    const SweepSpec spec = grown_spec(sweep, assignments);
    return sweep.grow(spec, make_plan(spec, {2, {}}, engine_, sweep.grown()));
  }
  std::string refused(const std::vector<std::string>& assignments) const {
    return message_of(ExitCode::kUsage, [&] { grow(assignments); });
  }
  std::string refused_plan(const std::vector<std::string>& assignments) const {
    return message_of(ExitCode::kUsage, [&] { plan(assignments); });
  }
  // "folder: cell" of each trial.
  std::vector<std::string> trials(const std::string& name = "sweep") const {
    std::vector<std::string> out;
    const Sweep sweep = Sweep::open(*this / name);
    for (const Trial& trial : sweep.trials()) out.push_back(trial.folder + ": " + trial.cell);
    return out;
  }

 private:
  mutable FakeEngine engine_;
};

std::vector<std::string> labels(const Plan& plan) {
  std::vector<std::string> out;
  for (const Cell& cell : plan.cells) out.push_back(cell.label);
  return out;
}

using Names = std::vector<std::string>;

TEST_CASE("a cell with a name is called by it, and by what varies besides") {
  const Folder folder;
  CHECK(labels(folder.plan({"sweep.cells=[{name: wide, hidden_d: 16, lr: [1, 2]}, {hidden_d: 4}]",
                            "n_heads=1,2"})) ==
        Names{"wide lr=1 n_heads=1", "wide lr=1 n_heads=2", "wide lr=2 n_heads=1",
              "wide lr=2 n_heads=2", "hidden_d=4 n_heads=1", "hidden_d=4 n_heads=2"});
  CHECK(labels(folder.plan({"sweep.cells=[{name: a b, lr: 1}, {name: c}]"})) == Names{"a b", "c"});
  CHECK(folder.refused_plan({"sweep.cells=[{name: lr=2, lr: 1}, {lr: 2}]"}) ==
        "two cells are called lr=2: another name for one of them tells them apart");
  folder.create({"sweep.cells=[{name: a b, lr: 1}, {name: c}]"});
  CHECK(folder.trials() == Names{"0001-a-b: a b", "0002-c: c"});
}

TEST_CASE("the mistakes of all cells are shown, each once") {
  const Folder folder("lr: x");
  CHECK(folder.refused_plan(
            {"sweep.cells=[{hiden_d: 8}, {n_heads: a}, {hidden_d: {min: 2, max: 1}}]"}) ==
        folder.file() +
            ":1:5: lr: expected a number at least 0, got \"x\"\n"
            "    1 | lr: x\n"
            "      |     ^\n"
            "command line:1:15: hiden_d: unknown key\n"
            "    1 | sweep.cells=[{hiden_d: 8}, {n_heads: a}, {hidden_d: {min: 2, max: 1}}]\n"
            "      |               ^ did you mean hidden_d?\n"
            "command line:1:38: n_heads: expected a whole number, got \"a\"\n"
            "    1 | sweep.cells=[{hiden_d: 8}, {n_heads: a}, {hidden_d: {min: 2, max: 1}}]\n"
            "      |                                      ^\n"
            "command line:1:53: sweep.cells.2.hidden_d: min (2) must be below max (1)\n"
            "    1 | sweep.cells=[{hiden_d: 8}, {n_heads: a}, {hidden_d: {min: 2, max: 1}}]\n"
            "      |                                                     ^");
}

TEST_CASE("what is wrong with a value is told whether it is drawn or not") {
  const Folder folder;
  CHECK(folder.refused_plan({"sweep.method=random", "sweep.trials=1",
                             "sweep.cells=[{hidden_d: 8}, {hidden_d: 4}, {hiden_d: 2}]",
                             "lr=-0.5..0.5"}) ==
        "command line:1:4: lr: expected a number at least 0, got -0.5\n"
        "    1 | lr=-0.5..0.5\n"
        "      |    ^\n"
        "command line:1:45: hiden_d: unknown key\n"
        "    1 | sweep.cells=[{hidden_d: 8}, {hidden_d: 4}, {hiden_d: 2}]\n"
        "      |                                             ^ did you mean hidden_d?");
}

TEST_CASE("an impossible draw is replaced by another") {
  const Folder folder;
  const Plan plan =
      folder.plan({"sweep.method=random", "sweep.trials=4", "hidden_d=4..6", "n_heads=2..3"});
  CHECK(plan.cells.size() == 3);
  CHECK(plan.left_out.size() == 3);
}

TEST_CASE("a grid grows by seeds, values and keys, and keeps what it has") {
  const Folder folder;
  folder.create({"lr=1,2", "seed=0..1"});
  const std::string config = read_file(folder / "sweep/trials/0001-lr-1-seed-0/config.yaml", 9999);
  fs::remove(folder / "sweep/trials/0001-lr-1-seed-0/config.yaml");
  const Growth seeds = folder.grow({"seed=0..2"});
  CHECK(seeds.added == 2);
  CHECK(seeds.there == 4);
  CHECK(folder.grow({"lr=3,2,1"}).added == 3);
  CHECK(folder.grow({"hidden_d=8,16"}).added == 9);
  CHECK(folder.grow({"hidden_d=8,16"}).added == 0);
  const Names trials = folder.trials();
  REQUIRE(trials.size() == 18);
  CHECK(Names(trials.begin(), trials.begin() + 10) ==
        Names{"0001-lr-1-seed-0: lr=1 hidden_d=8", "0002-lr-1-seed-1: lr=1 hidden_d=8",
              "0003-lr-2-seed-0: lr=2 hidden_d=8", "0004-lr-2-seed-1: lr=2 hidden_d=8",
              "0005-lr-1-seed-2: lr=1 hidden_d=8", "0006-lr-2-seed-2: lr=2 hidden_d=8",
              "0007-lr-3-seed-0: lr=3 hidden_d=8", "0008-lr-3-seed-1: lr=3 hidden_d=8",
              "0009-lr-3-seed-2: lr=3 hidden_d=8",
              "0010-lr-3-hidden_d-16-seed-0: lr=3 hidden_d=16"});
  CHECK_FALSE(fs::exists(folder / "sweep/trials/0001-lr-1-seed-0/config.yaml"));
  const Sweep sweep = Sweep::open(folder / "sweep");
  CHECK(to_yaml(sweep.config(0)) == config);
  CHECK(to_flow_yaml(sweep.config(9)) ==
        "{name: fake, note: \"\", seed: 0, hidden_d: 16, n_heads: 2, lr: 3, betas: [0.9, 0.99]}");
  CHECK(sweep.trials()[0].values == Json({{"lr", 1}, {"hidden_d", 8}}));
}

TEST_CASE("a search grows to the one that was longer from the start") {
  const Folder folder;
  const Names search = {"sweep.method=random", "hidden_d=2..9", "n_heads={min: 1, max: 3}",
                        "lr=log:1e-4..1.0"};
  const auto with = [&](int trials) {
    Names out = search;
    out.push_back("sweep.trials=" + std::to_string(trials));
    return out;
  };
  folder.create(with(5));
  folder.create(with(20), "long");
  CHECK(folder.grow({"sweep.trials=9"}).added == 4);
  CHECK(folder.grow({"sweep.trials=20"}).added == 11);
  CHECK(folder.trials() == folder.trials("long"));
  const auto plan = [&](const std::string& sweep) {
    Json out = Json::parse(read_file(folder / sweep / "plan.json", 1 << 20));
    out.erase("id");
    return out;
  };
  CHECK(plan("sweep") == plan("long"));
}

TEST_CASE("a search draws from a wider space behind what it has drawn") {
  const Folder folder;
  folder.create({"sweep.method=random", "sweep.trials=3", "hidden_d=2,4", "lr=0.1..0.2"});
  const Names before = folder.trials();
  CHECK(folder.grow({"sweep.trials=30", "hidden_d=2,4,6", "lr=0.1..0.5"}).added == 27);
  const Names after = folder.trials();
  CHECK(Names(after.begin(), after.begin() + 3) == before);
  CHECK(std::any_of(after.begin(), after.end(), [](const std::string& trial) {
    return trial.find("hidden_d=6 lr=0.4") != trial.npos;
  }));
}

TEST_CASE("a search of one value more than its trials has drawn all of them") {
  const Folder folder;
  folder.create({"sweep.method=random", "sweep.trials=4", "hidden_d=2,4,6", "lr=1,2"});
  CHECK(folder.grow({"sweep.trials=10"}).added == 2);
  Names trials = folder.trials();
  for (std::string& trial : trials) trial = trial.substr(trial.find(": ") + 2);
  CHECK(std::set<std::string>(trials.begin(), trials.end()).size() == 6);
}

TEST_CASE("a sweep does not shrink, nor become another one") {
  const Folder folder;
  folder.create({"lr=1,2", "seed=0..2", "sweep.cells=[{n_heads: 1}, {n_heads: 2}]"});
  CHECK(folder.refused({"seed=1..5"}) ==
        "command line:1:6: sweep.seeds: the sweep has trials of seed 0 already, and a sweep only "
        "grows\n"
        "    1 | seed=1..5\n"
        "      |      ^ seeds that are there are named as well as new ones");
  CHECK(folder.refused({"lr=2,3"}) ==
        "command line:1:1: lr: the sweep has 1 already, and a sweep only grows\n"
        "    1 | lr=2,3\n"
        "      | ^ values that are there are named as well as new ones");
  CHECK(folder.refused({"sweep.cells=[{n_heads: 2}]"}) ==
        "command line:1:13: sweep.cells: the sweep has {n_heads: 1} already, and a sweep only "
        "grows\n"
        "    1 | sweep.cells=[{n_heads: 2}]\n"
        "      |             ^ cells that are there are listed as well as new ones");
  CHECK(folder.refused({"hidden_d=16"}) ==
        "command line:1:1: hidden_d: the trials that are there keep what they were started with\n"
        "    1 | hidden_d=16\n"
        "      | ^ several values, theirs among them, add trials: hidden_d=8,...");
  CHECK(folder.refused({"hidden_d=16,32"}) ==
        "a sweep only grows, and would no longer have these cells (name their values as well):\n"
        "  n_heads=1 lr=1\n  n_heads=1 lr=2\n  n_heads=2 lr=1\n  n_heads=2 lr=2");
  CHECK(folder.refused({"sweep.metric=validation/loss"}) ==
        "command line:1:1: sweep.metric: a sweep that has begun keeps it\n"
        "    1 | sweep.metric=validation/loss\n"
        "      | ^ it takes more seeds, more values of a key, and sweep.trials, sweep.cells, "
        "sweep.parameters, sweep.seeds, sweep.jobs, sweep.confirm, sweep.slurm");
  folder.create({"sweep.method=random", "sweep.trials=5", "lr=0.1..0.5"}, "search");
  const auto refused = [&](const std::string& assignment) {
    return message_of(ExitCode::kUsage, [&] { folder.grow({assignment}, "search"); });
  };
  CHECK(refused("sweep.trials=4") ==
        "command line:1:14: sweep.trials: the sweep has 5 cells already, and a sweep only grows\n"
        "    1 | sweep.trials=4\n"
        "      |              ^");
  CHECK(refused("lr=0.2..0.9") ==
        "command line:1:1: lr: the sweep has {min: 0.1, max: 0.5} already, and a sweep only grows\n"
        "    1 | lr=0.2..0.9\n"
        "      | ^ values that are there are named as well as new ones");
  CHECK(refused("hidden_d=8,16") ==
        "command line:1:1: hidden_d: the trials that are there did not vary it\n"
        "    1 | hidden_d=8,16\n"
        "      | ^ a search that has begun keeps its keys, and may get more values of them");
}

TEST_CASE("several configs grow as they were when the sweep began") {
  const Folder folder("lr: 1");
  write_plain(folder / "other.yaml", "lr: 2\n");
  const SweepSpec spec = read_spec({folder.file(), folder / "other.yaml"}, {"hidden_d=4"});
  FakeEngine engine;
  Sweep::create(spec, make_plan(spec, {2, {}}, engine), folder / "sweep");
  fs::remove(folder / "other.yaml");
  write_plain(folder.file(), "lr: 3\n");
  CHECK(folder.grow({"hidden_d=4,8"}).added == 2);
  CHECK(folder.trials() == Names{"0001-small: small hidden_d=4", "0002-other: other hidden_d=4",
                                 "0003-small-hidden_d-8: small hidden_d=8",
                                 "0004-other-hidden_d-8: other hidden_d=8"});
  const Sweep sweep = Sweep::open(folder / "sweep");
  CHECK(sweep.config(2).find("lr")->scalar == "1");
  CHECK(sweep.config(3).find("lr")->scalar == "2");
}

TEST_CASE("values of a sweep that grows are told at the places where they were written") {
  const Folder folder("lr: 1");
  folder.create({"hidden_d=4"});
  const Sweep sweep = Sweep::open(folder / "sweep");
  CHECK(sweep.configs()[0].written.find("lr")->location.line_text() == folder.file() + ":1");
}

TEST_CASE("what was confirmed before it grew stays") {
  const Folder folder;
  Sweep sweep = folder.create({"lr=1,2", "seed=0..1"});
  sweep.add_confirmations({{2, 5}});
  CHECK_FALSE(sweep.is_unconfirmed());
  CHECK(folder.grow({"seed=0..5"}).added == 8);
  const Sweep grown = Sweep::open(folder / "sweep");
  CHECK(grown.is_unconfirmed());
  REQUIRE(grown.trials().size() == 13);
  CHECK(grown.trials()[4].folder == "0005-confirm-lr-2-seed-5");
  CHECK(grown.trials()[4].confirms);
  CHECK(grown.trials()[12].folder == "0013-lr-2-seed-5");
}

TEST_CASE("folders that are gone or damaged are made again from plan.json") {
  const Folder folder;
  folder.create({"lr=1,2,3,4,5,6"});
  Sweep sweep = Sweep::open(folder / "sweep");
  const auto run = [&](size_t trial) { return sweep.folder(trial); };
  const std::string config = read_file(run(0) / "config.yaml", 9999);
  fs::remove_all(run(0));
  fs::remove(run(1) / "config.yaml");
  write_plain(run(2) / "config.yaml", "name: fake\n");
  write_plain(run(3) / "metrics.json", "{");
  fs::remove_all(run(4));
  write_plain(run(4), "");
  CHECK(sweep.mend(0, false) == "is gone: made again from plan.json");
  CHECK(sweep.mend(1, false) == "has no config.yaml: made again from plan.json");
  const auto kept = [&](const std::string& name) {
    return " (what there was is in " + fs::proximate(sweep.path() / ".damaged" / name).string() +
           ")";
  };
  CHECK(sweep.mend(2, false) ==
        "has a damaged config.yaml: made again from plan.json" + kept("0003-lr-3-1/config.yaml"));
  CHECK(sweep.mend(3, false) == "has a damaged metrics.json: it goes on from its checkpoints" +
                                    kept("0004-lr-4-1/metrics.json"));
  CHECK(sweep.mend(4, false) == "is no folder: made again from plan.json" + kept("0005-lr-5-1"));
  CHECK(sweep.mend(5, false) == "");
  CHECK(read_file(run(0) / "config.yaml", 9999) == config);
  for (size_t i = 0; i < 6; ++i) {
    CHECK(sweep.mend(i, true) == "");
    CHECK(sweep.state(i).status == TrialStatus::kWaiting);
    CHECK(read_yaml(run(i) / "config.yaml").find("lr")->scalar == std::to_string(i + 1));
  }
  CHECK(find_runs(folder / "sweep").runs.size() == 6);
}

TEST_CASE("a failed trial without a usable checkpoint begins again when it is retried") {
  const Folder folder;
  Sweep sweep = folder.create({"lr=1,2"});
  for (size_t i = 0; i < 2; ++i) {
    fs::create_directory(sweep.folder(i) / "checkpoints");
    write_plain(sweep.folder(i) / "checkpoints/step-00000010.safetensors", "x");
    write_plain(sweep.folder(i) / "output.txt", "error: no\nexit code 5\n");
  }
  sweep.refresh();
  CHECK(sweep.mend(0, false) == "");
  CHECK_THAT(sweep.mend(1, true), StartsWith("has no checkpoint that can be gone on from: made "
                                             "again from plan.json (what there was is in "));
  CHECK(sweep.state(0).status == TrialStatus::kFailed);
  CHECK(sweep.state(1).status == TrialStatus::kWaiting);
}

}  // namespace
}  // namespace vitrine

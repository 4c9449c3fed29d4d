#include <set>

#include "tests/framework/cli/fake_slurm.h"
#include "tests/framework/cli/results.h"
#include "tests/framework/cli/sweep_folder.h"

// Sweeps whose cells are proposed by what earlier ones came to.
namespace vitrine {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using Words = std::vector<std::string>;

const Words kSearch = {"sweep.method={type: tpe, startup: 3}", "sweep.trials=7",
                       "optimizer.lr=log:1e-4..0.1", "model.hidden_d=4,8", "training.epochs=1"};

Words with(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

Json plan_of(const fs::path& sweep) { return Json::parse(Process::read(sweep / "plan.json")); }

TEST_CASE("a search proposes cells until it has its trials, and is a sweep as all are") {
  const SweptFolder folder;
  const Result result = folder.sweep(with(kSearch, {"--jobs", "1"}));
  CHECK(result.code == 0);
  CHECK_THAT(result.out, StartsWith("small: 7 trials, 7 cells x 1 seed, 1 at a time\n"));
  CHECK_THAT(result.out, Contains("(7 of 7)\n"));
  CHECK_THAT(result.out, Contains("\n7 trials: 7 finished\nbest: sweep/best -> trials/"));
  const Json plan = plan_of(folder / "sweep");
  REQUIRE(plan["trials"].size() == 7);
  CHECK_FALSE(plan.contains("to_come"));
  CHECK_FALSE(plan["trials"][2].contains("saw"));
  CHECK(plan["trials"][3]["saw"].size() == 3);
  CHECK(plan["trials"][4]["saw"].size() == 1);
  CHECK_THAT(folder.run({"status", "sweep"}).out, Contains("7 trials: 7 finished; best "));
  CHECK(folder.run({"compare", "sweep"}).code == 0);
  CHECK(folder.run({"report", "sweep"}).code == 0);

  // The same again is the same sweep.
  Words again = with({"sweep", "small.yaml", "--run-dir", "again", "--jobs", "1"}, kSearch);
  CHECK(folder.run(again).code == 0);
  CHECK(names_in(folder / "again/trials") == names_in(folder / "sweep/trials"));

  const Result more = folder.run({"resume", "sweep", "sweep.trials=9", "--jobs", "1"});
  CHECK(more.code == 0);
  CHECK_THAT(more.out, StartsWith("small: 2 cells to come (7 there already, 7 finished)\n"));
  CHECK_THAT(more.out, Contains("\n9 trials: 9 finished\n"));
}

TEST_CASE("a plan of a search shows what is drawn, and counts what is to come") {
  const SweptFolder folder;
  const Result result = folder.sweep(with(kSearch, {"--dry-run"}));
  CHECK(result.code == 0);
  CHECK_THAT(result.out, StartsWith("small: 7 trials, 7 cells x 1 seed, "));
  CHECK_THAT(result.out, Contains("\n4 cells more, proposed once these have ended\n"));
  const Json json = Json::parse(folder.sweep(with(kSearch, {"--dry-run", "--json"})).out);
  CHECK(json["cells"].size() == 3);
  CHECK(json["to_come"] == 4);
}

TEST_CASE("a search that a signal stops goes on with the same proposals") {
  const SweptFolder folder;
  REQUIRE(folder.sweep(with(kSearch, {"--jobs", "1"})).code == 0);
  Words words = with({"sweep", "small.yaml", "--run-dir", "stopped", "--jobs", "1"}, kSearch);
  Process process(runner_command(words), folder.path(), {});
  // As soon as there is a proposal, which may have begun or not.
  for (int i = 0; i < 3000; ++i) {
    if (fs::exists(folder / "stopped/trials") && names_in(folder / "stopped/trials").size() > 4)
      break;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  kill(process.id(), SIGTERM);
  process.wait();
  const Result resumed = folder.run({"resume", "stopped", "--jobs", "1"});
  CHECK(resumed.code == 0);
  const Words names = names_in(folder / "sweep/trials");
  REQUIRE(names_in(folder / "stopped/trials") == names);
  for (const std::string& name : names) {
    INFO(name);
    check_equal(folder / "stopped/trials" / name, folder / "sweep/trials" / name);
  }
  CHECK(plan_of(folder / "stopped")["trials"][6]["point"] ==
        plan_of(folder / "sweep")["trials"][6]["point"]);
}

TEST_CASE("asha stops cells early that tpe proposes, and proposes by how far they came") {
  const SweptFolder folder;
  const Result result = folder.sweep(
      {"sweep.method={type: asha, eta: 2, sampler: {type: tpe, startup: 3}}", "sweep.trials=6",
       "optimizer.lr=log:1e-4..0.1", "training.epochs=4", "--jobs", "1"});
  CHECK(result.code == 0);
  const Json plan = plan_of(folder / "sweep");
  REQUIRE(plan["trials"].size() == 6);
  std::set<int64_t> epochs;
  for (size_t i = 3; i < 6; ++i) {
    for (const auto& [number, seen] : plan["trials"][i]["saw"].items()) {
      if (seen.is_array()) epochs.insert(seen[1].get<int64_t>());
    }
  }
  CHECK(epochs.contains(1));
  CHECK(*epochs.rbegin() > 1);
  CHECK_THAT(result.out, Contains(" paused\nbest: sweep/best -> trials/"));
  // Nothing is left to do.
  const Result resumed = folder.run({"resume", "sweep"});
  CHECK(resumed.code == 0);
  CHECK(plan_of(folder / "sweep")["trials"].size() == 6);
}

TEST_CASE("on Slurm a search goes on in rounds") {
  const FakeSlurm slurm;
  const Result begun = slurm.sweep({"sweep.method={type: tpe, startup: 2}", "sweep.trials=5",
                                    "optimizer.lr=log:1e-4..0.1", "training.epochs=1",
                                    "sweep.slurm.trials_per_task=5"});
  CHECK(begun.code == 0);
  CHECK_THAT(begun.out,
             EndsWith("submitted 2 trials as job 12 (1 task)\n"
                      "5 trials: 2 queued, 3 to come\n"
                      "look after it with: runner status sweep\n"
                      "when these have ended, runner resume sweep proposes the next of 3 cells to "
                      "come\n"));
  CHECK(slurm.task(0).wait().code == 0);
  CHECK_THAT(slurm.run({"status", "sweep"}).out,
             EndsWith("; nothing is queued, go on with: runner resume sweep\n"));
  const Words waiting = {"5 trials: 2 finished, 2 queued, 1 to come\n",
                         "5 trials: 4 finished, 1 queued\n"};
  for (size_t round = 0; round < waiting.size(); ++round) {
    const Result result = slurm.run({"resume", "sweep"});
    CHECK(result.code == 0);
    CHECK_THAT(result.out, Contains(waiting[round]));
    fs::remove(slurm / "sweep/slurm/12_0.txt");  // Slurm never gives a number twice
    CHECK(slurm.task(0, "000" + std::to_string(round + 2) + ".sh").wait().code == 0);
  }
  const Result last = slurm.run({"resume", "sweep"});
  CHECK(last.code == 0);
  CHECK_THAT(last.out, Contains("5 trials: 5 finished\nbest: sweep/best -> trials/"));
}

}  // namespace
}  // namespace vitrine

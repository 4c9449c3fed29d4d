#include <random>

#include "tests/framework/cli/swept_folder.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> search(const std::string& name) {
  return runner_command({"sweep", "small.yaml", "sweep.method={type: tpe, startup: 2}",
                         "sweep.trials=6", "optimizer.lr=log:0.001..0.1", "model.hidden_d=4,8",
                         "training.epochs=20", "--run-dir", name, "--jobs", "1"});
}

nlohmann::ordered_json trials_of(const fs::path& sweep) {
  return json_of(sweep / "plan.json").at("trials");
}

TEST_CASE("a search that is killed fifteen times proposes and trains what one never killed does") {
  const SweptFolder folder;
  REQUIRE(Process(search("whole"), folder.path(), {}).wait().code == 0);
  std::mt19937 generator(3);
  for (int kills = 0; kills < 15; ++kills) {
    while (!processes_in(folder / "killed").empty())
      pause(10);  // trials that end with their parent
    const bool begun = fs::exists(folder / "killed/plan.json");
    Process process(begun ? runner_command({"resume", "killed", "--jobs", "1"}) : search("killed"),
                    folder.path(), {});
    if (begun) {
      pause(100 + static_cast<int>(generator() % 500));
    } else {
      folder.wait_for_training("killed");
    }
    kill(process.id(), SIGKILL);
    process.wait();
  }
  while (!processes_in(folder / "killed").empty()) pause(10);
  const Result result = folder.run({"resume", "killed", "--jobs", "1"});
  INFO(result.err);
  REQUIRE(result.code == 0);
  folder.check_like_whole("killed");
  const auto trials = trials_of(folder / "killed"), whole = trials_of(folder / "whole");
  REQUIRE(trials.size() == whole.size());
  for (size_t i = 0; i < trials.size(); ++i) {
    CHECK(trials[i].at("point") == whole[i].at("point"));
    CHECK(trials[i].value("saw", nlohmann::ordered_json()) ==
          whole[i].value("saw", nlohmann::ordered_json()));
  }
}

}  // namespace
}  // namespace vitrine

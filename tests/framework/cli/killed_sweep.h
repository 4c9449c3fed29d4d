#pragma once

#include <random>

#include "tests/framework/cli/swept_folder.h"

namespace vitrine {

// Time of the last change of everything that a finished trial left.
inline std::map<std::filesystem::path, std::filesystem::file_time_type> finished_files(
    const SweptFolder& folder, const std::string& name) {
  std::map<std::filesystem::path, std::filesystem::file_time_type> out;
  for (const std::filesystem::path& run : folder.trials(name)) {
    if (!std::filesystem::exists(run / "metrics.json")) continue;
    if (Metrics::read(run / "metrics.json").status != RunStatus::kFinished) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(run)) {
      if (entry.is_regular_file()) out[entry.path()] = entry.last_write_time();
    }
  }
  return out;
}

// Kills a sweep's own process, or one of its trials', ten times, and goes on each time. In the end
// all is as in a sweep that was never killed, and no finished trial was touched again.
inline void check_killed_sweep(bool kill_parent) {
  const SweptFolder folder;
  folder.whole();
  std::mt19937 generator(5);
  int kills = 0, finished = 0;
  while (kills < 10 || finished == 0) {
    const std::string name = "killed" + std::to_string(finished);
    const bool begun = std::filesystem::exists(folder / name / "plan.json");
    while (!processes_in(folder / name).empty()) pause(10);  // trials that end with their parent
    const auto before = finished_files(folder, name);
    Process process(
        begun ? runner_command({"resume", name, "--jobs", "2"}) : SweptFolder::sweep(name),
        folder.path(), {});
    if (kills < 10) {
      if (begun) pause(300 + static_cast<int>(generator() % 900));
      if (!begun) folder.wait_for_training(name);
      const auto trials = processes_in(folder / name);
      if (!trials.empty()) {
        kill(kill_parent ? process.id() : trials[generator() % trials.size()], SIGKILL);
        ++kills;
      }
    }
    const Result result = process.wait();
    for (const auto& [file, time] : before) {
      INFO(file);
      CHECK(std::filesystem::last_write_time(file) == time);
    }
    CHECK((result.code == 0 || result.code == 1 || result.code == 128 + SIGKILL));
    if (result.code != 0) continue;
    folder.check_like_whole(name);
    ++finished;
  }
}

}  // namespace vitrine

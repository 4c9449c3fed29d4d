#pragma once

#include <chrono>
#include <thread>

#include "framework/runs/lock.h"
#include "tests/framework/cli/results.h"
#include "tests/framework/cli/support.h"

// A sweep of six runs that are long enough to be stopped or killed.
namespace vitrine {

inline constexpr const char* kSweptConfig = R"(name: small
dataset: {type: digits, train: 180, test: 64, validation: 32}
model: {type: vit, n_patches: 4, n_blocks: 1, hidden_d: 8, n_heads: 2}
training: {epochs: 150, batch_size: 16}
)";
inline constexpr size_t kTrials = 6;

inline void pause(int milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

class SweptFolder : public ConfigFolder {
 public:
  SweptFolder() : ConfigFolder(kSweptConfig) {}
  static std::vector<std::string> sweep(const std::string& name) {
    return runner_command({"sweep", "small.yaml", "optimizer.lr=0.001,0.01,0.1", "seed=0..1",
                           "--run-dir", name, "--jobs", "2"});
  }
  // The same sweep, never stopped.
  void whole() const { REQUIRE(Process(sweep("whole"), path(), {}).wait().code == 0); }

  std::vector<std::filesystem::path> trials(const std::string& name) const {
    std::vector<std::filesystem::path> out;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(*this / name / "trials", error))
      out.push_back(entry.path());
    std::sort(out.begin(), out.end());
    return out;
  }
  void check_like_whole(const std::string& name) const {
    REQUIRE(trials(name).size() == kTrials);
    for (const std::filesystem::path& run : trials(name)) {
      INFO(run.filename());
      check_equal(run, *this / "whole" / "trials" / run.filename());
    }
  }
  // Waits until a trial is in the midst of training.
  void wait_for_training(const std::string& name) const {
    for (int i = 0; i < 3000; ++i, pause(10)) {
      for (const std::filesystem::path& run : trials(name)) {
        if (RunLock::is_held(run) && !checkpoint_steps(run / "checkpoints").empty()) return;
      }
    }
    FAIL("no trial has begun");
  }
};

// Processes whose command line names the folder.
inline std::vector<pid_t> processes_in(const std::filesystem::path& folder) {
  std::vector<pid_t> out;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != name.npos) continue;
    try {
      const std::string words = Process::read(entry.path() / "cmdline");
      if (words.find((folder / "trials").string()) != words.npos) out.push_back(std::stoi(name));
    } catch (const std::ios_base::failure&) {
      // It has ended since its name was read.
    }
  }
  return out;
}

}  // namespace vitrine

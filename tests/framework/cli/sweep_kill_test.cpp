#include <chrono>
#include <random>
#include <thread>

#include "framework/runs/lock.h"
#include "tests/framework/cli/results.h"
#include "tests/framework/cli/support.h"

// Sweeps that are stopped or killed, and what becomes of their trials.
namespace vitrine {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kConfig = R"(name: small
dataset: {type: digits, train: 180, test: 64, validation: 32}
model: {type: vit, n_patches: 4, n_blocks: 1, hidden_d: 8, n_heads: 2}
training: {epochs: 150, batch_size: 16}
)";
constexpr size_t kTrials = 6;

void pause(int milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

class Folder : public ConfigFolder {
 public:
  Folder() : ConfigFolder(kConfig) {}
  static std::vector<std::string> sweep(const std::string& name) {
    return runner_command({"sweep", "small.yaml", "optimizer.lr=0.001,0.01,0.1", "seed=0..1",
                           "--run-dir", name, "--jobs", "2"});
  }
  // The same sweep, never stopped.
  void whole() const { REQUIRE(Process(sweep("whole"), path(), {}).wait().code == 0); }

  std::vector<fs::path> trials(const std::string& name) const {
    std::vector<fs::path> out;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(*this / name / "trials", error))
      out.push_back(entry.path());
    std::sort(out.begin(), out.end());
    return out;
  }
  void check_like_whole(const std::string& name) const {
    REQUIRE(trials(name).size() == kTrials);
    for (const fs::path& run : trials(name)) {
      INFO(run.filename());
      check_equal(run, *this / "whole" / "trials" / run.filename());
    }
  }
  // Waits until a trial is in the midst of training.
  void wait_for_training(const std::string& name) const {
    for (int i = 0; i < 3000; ++i, pause(10)) {
      for (const fs::path& run : trials(name)) {
        if (RunLock::is_held(run) && !checkpoint_steps(run / "checkpoints").empty()) return;
      }
    }
    FAIL("no trial has begun");
  }
};

// Processes whose command line names the folder.
std::vector<pid_t> processes_in(const fs::path& folder) {
  std::vector<pid_t> out;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != name.npos) continue;
    const std::string words = Process::read(entry.path() / "cmdline");
    if (words.find((folder / "trials").string()) != words.npos) out.push_back(std::stoi(name));
  }
  return out;
}

// Time of the last change of everything that a finished trial left.
std::map<fs::path, fs::file_time_type> finished_files(const Folder& folder,
                                                      const std::string& name) {
  std::map<fs::path, fs::file_time_type> out;
  for (const fs::path& run : folder.trials(name)) {
    if (!fs::exists(run / "metrics.json")) continue;
    if (Metrics::read(run / "metrics.json").status != RunStatus::kFinished) continue;
    for (const auto& entry : fs::recursive_directory_iterator(run)) {
      if (entry.is_regular_file()) out[entry.path()] = entry.last_write_time();
    }
  }
  return out;
}

TEST_CASE("signals stop a sweep and its trials, resumably") {
  const Folder folder;
  folder.whole();
  const std::vector<std::pair<int, int>> signals = {{SIGINT, 130}, {SIGTERM, 143}, {SIGUSR1, 75}};
  for (const auto& [signal, code] : signals) {
    const std::string name = "signal" + std::to_string(signal);
    Process process(Folder::sweep(name), folder.path(), {});
    folder.wait_for_training(name);
    process.send(signal);
    const Result result = process.wait();
    INFO(result.out << result.err);
    CHECK(result.code == code);
    CHECK(processes_in(folder / name).empty());
    CHECK_THAT(result.out, Contains("\nstopping: waiting for "));
    CHECK_THAT(result.out, EndsWith("\ngo on with: runner resume " + name + "\n"));
    for (const fs::path& run : folder.trials(name)) {
      if (!fs::exists(run / "metrics.json")) continue;
      const RunStatus status = Metrics::read(run / "metrics.json").status;
      CHECK((status == RunStatus::kStopped || status == RunStatus::kFinished));
    }
    CHECK(folder.run({"resume", name}).code == 0);
    folder.check_like_whole(name);
  }
}

TEST_CASE("no trial outlives a sweep that was killed; each saves before it ends") {
  const Folder folder;
  Process process(Folder::sweep("sweep"), folder.path(), {});
  folder.wait_for_training("sweep");
  process.send(SIGKILL);
  process.wait();
  for (int i = 0; i < 1000 && !processes_in(folder / "sweep").empty(); ++i) pause(10);
  CHECK(processes_in(folder / "sweep").empty());
  size_t stopped = 0;
  for (const fs::path& run : folder.trials("sweep")) {
    if (!fs::exists(run / "metrics.json")) continue;
    stopped += Metrics::read(run / "metrics.json").status == RunStatus::kStopped;
  }
  CHECK(stopped >= 1);
}

TEST_CASE(
    "a sweep whose trials and parent are killed 20 times gives the bits of one never killed") {
  const Folder folder;
  folder.whole();
  std::mt19937 generator(5);
  int kills = 0, finished = 0;
  while (kills < 20 || finished == 0) {
    const std::string name = "killed" + std::to_string(finished);
    const bool begun = fs::exists(folder / name / "plan.json");
    while (!processes_in(folder / name).empty()) pause(10);  // trials that end with their parent
    const auto before = finished_files(folder, name);
    Process process(begun ? runner_command({"resume", name, "--jobs", "2"}) : Folder::sweep(name),
                    folder.path(), {});
    if (kills < 20) {
      if (begun) pause(300 + static_cast<int>(generator() % 900));
      if (!begun) folder.wait_for_training(name);
      const auto trials = processes_in(folder / name);
      const bool parent = generator() % 2 == 0;
      if (!trials.empty()) {
        kill(parent ? process.id() : trials[generator() % trials.size()], SIGKILL);
        ++kills;
      }
    }
    const Result result = process.wait();
    for (const auto& [file, time] : before) {
      INFO(file);
      CHECK(fs::last_write_time(file) == time);  // a finished trial is not touched again
    }
    CHECK((result.code == 0 || result.code == 1 || result.code == 128 + SIGKILL));
    if (result.code != 0) continue;
    folder.check_like_whole(name);
    ++finished;
  }
}

TEST_CASE("a sweep goes on with the code that it was started with") {
  const Folder folder;
  fs::create_directory(folder / "mine");
  for (const char* file : {"runner", "libvitrine_core.so", "libvitrine_engine.so"})
    fs::copy_file(VITRINE_BINARY_DIR "/" + std::string(file), folder / "mine" / file);
  std::vector<std::string> command = Folder::sweep("sweep");
  command[0] = folder / "mine/runner";
  Process process(command, folder.path(), {});
  folder.wait_for_training("sweep");
  fs::remove_all(folder / "mine");
  process.send(SIGINT);
  CHECK(process.wait().code == 130);
  CHECK(folder.run({"resume", "sweep"}).code == 0);
  for (const fs::path& run : folder.trials("sweep")) {
    const Metrics metrics = Metrics::read(run / "metrics.json");
    CHECK(metrics.exact);
    CHECK(fs::equivalent(metrics.command[0], folder / "sweep/build/runner"));
  }
}

TEST_CASE("a second runner on a sweep under way is refused") {
  const Folder folder;
  Process process(Folder::sweep("sweep"), folder.path(), {});
  folder.wait_for_training("sweep");
  const Result second = folder.run({"resume", "sweep"});
  CHECK(second.code == 1);
  CHECK_THAT(second.err, StartsWith("error: another runner (process "));
  const Result status = folder.run({"status", "sweep"});
  CHECK(status.code == 0);
  CHECK_THAT(status.out, Contains("  running "));
  CHECK_THAT(status.out, Contains("  waiting "));
  process.send(SIGINT);
  CHECK(process.wait().code == 130);
}

}  // namespace
}  // namespace vitrine

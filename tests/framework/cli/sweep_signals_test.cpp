#include "tests/framework/cli/swept_folder.h"

// Sweeps that are stopped, and go on.
namespace vitrine {
namespace {

namespace fs = std::filesystem;
using Folder = SweptFolder;

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

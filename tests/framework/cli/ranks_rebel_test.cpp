#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <memory>
#include <thread>

#include "framework/files/descriptor.h"
#include "framework/runs/checkpoint.h"
#include "tests/framework/cli/ranks.h"

// What one of several processes does alone.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

std::string host_name() {
  std::array<char, 256> out{};
  gethostname(out.data(), out.size() - 1);
  return out.data();
}

std::string rank_of(int rank, int count) {
  return "rank " + std::to_string(rank) + " of " + std::to_string(count) + " on " + host_name();
}

// A callback that does so in one of them, after this step.
Result rebel(const ResumedFolder& folder, int count, int rank, int step, const std::string& how) {
  fs::remove_all(folder / "run");
  return runner_in_ranks(
      count,
      {"small.yaml", "--run-dir", "run", "plugins=[" VITRINE_BINARY_DIR "/test_plugin_rebel.so]",
       "callbacks=[{type: rebel, rank: " + std::to_string(rank) + ", at: " + std::to_string(step) +
           ", how: " + how + "}]"},
      folder.path());
}

TEST_CASE("a component that fails in one process ends all of them by its own exit code") {
  need_mpi();
  const ResumedFolder folder;
  const Result result = rebel(folder, 3, 1, 3, "throw");
  INFO(result.err);
  CHECK(result.code == 6);
  CHECK(errors_of(result) == "error: " + rank_of(1, 3) +
                                 ": callback \"rebel\" (rebel.cpp:55), step: not in this rank\n");
  CHECK(status_of(folder / "run") == "failed");
  const Result crashed = rebel(folder, 3, 1, 3, "crash");
  INFO(crashed.err);
  CHECK(crashed.code == 6);
  CHECK(errors_of(crashed) ==
        "error: callback \"rebel\" (rebel.cpp:55), step: crashes: Segmentation fault\n");
}

TEST_CASE("the callbacks of the first process end a run") {
  need_mpi();
  const ResumedFolder folder;
  CHECK(rebel(folder, 3, 0, 3, "end").code == 0);
  CHECK(json_of(folder / "run" / "metrics.json").at("stopped_by") == "callback");
  CHECK(checkpoint_steps(folder / "run" / "checkpoints").back() == 3);
  CHECK(rebel(folder, 2, 1, 3, "end").code == 0);
  CHECK(bytes_of(folder / "run" / "model.safetensors") ==
        bytes_of(folder.whole() / "model.safetensors"));
}

TEST_CASE("processes that drift apart are refused by name") {
  need_mpi();
  const ResumedFolder folder;
  const auto drifted = [&](int count, int rank, int step, const std::string& how) {
    const Result result = rebel(folder, count, rank, step, how);
    INFO(result.err);
    CHECK(result.code == 1);
    CHECK(status_of(folder / "run") == "failed");
    return errors_of(result);
  };
  const std::string why =
      ": a component computes something else in each process, as where it goes by a clock, by "
      "numbers of its own or by a file\n";
  CHECK(drifted(2, 1, 0, "drift") == "error: " + rank_of(1, 2) +
                                         " has another model/embedding.weight than " +
                                         rank_of(0, 2) + " at step 0" + why);
  CHECK(checkpoint_steps(folder / "run" / "checkpoints").empty());
  // What most have is taken for right; the check is made where a checkpoint would be.
  CHECK(drifted(3, 0, 3, "drift") == "error: " + rank_of(0, 3) +
                                         " has another ema/embedding.weight than " + rank_of(1, 3) +
                                         " at step 4" + why);
  CHECK(checkpoint_steps(folder / "run" / "checkpoints").back() == 2);
  CHECK(drifted(2, 1, 5, "draw") == "error: " + rank_of(1, 2) + " has another rng/cpu than " +
                                        rank_of(0, 2) + " at step 5" + why);
}

// Others may be waiting for what it would have sent.
TEST_CASE("a run that is there is refused once, by all") {
  need_mpi();
  const ResumedFolder folder;
  folder.whole();
  for (int i = 0; i < 2; ++i) {
    const Result result = runner_in_ranks(4, {"small.yaml", "--run-dir", "whole"}, folder.path());
    INFO(result.err);
    CHECK(result.code == 2);
    CHECK(errors_of(result).starts_with("error: whole already holds a run: "));
    CHECK(errors_of(result).find('\n') == errors_of(result).size() - 1);
    CHECK(result.err.find("on signal") == result.err.npos);
  }
}

TEST_CASE("a test of other weights in one process is refused") {
  need_mpi();
  const ResumedFolder folder;
  for (const std::string rank : {"0", "1"}) {
    fs::create_directory(folder / rank);
    REQUIRE(folder.run({"small.yaml", "--run-dir", rank + "/run", "seed=" + rank}).code == 0);
  }
  fs::copy_file(folder / "0" / "run" / "config.yaml", folder / "1" / "run" / "config.yaml",
                fs::copy_options::overwrite_existing);
  const Result result = shell_in_ranks(2, "test run", folder.path(), "cd $RANK; ");
  INFO(result.err);
  CHECK(result.code == 2);
  CHECK_THAT(errors_of(result),
             Contains("error: " + rank_of(1, 2) + " has another digest of the weights than " +
                      rank_of(0, 2) + ": "));
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(folder)) out.push_back(entry.path().filename());
  return out;
}

TEST_CASE("what processes that were killed leave in TMPDIR goes with the next") {
  need_mpi();
  const ResumedFolder folder;
  const fs::path scratch = folder / "scratch";
  fs::create_directory(scratch);
  const auto start = [&](const std::string& words) {
    // The launcher has its own files elsewhere.
    return std::make_unique<Process>(
        ranks_command(2, {"sh", "-c",
                          "TMPDIR='" + scratch.string() +
                              "' exec '" VITRINE_BINARY_DIR "/runner' small.yaml " + words}),
        folder.path(), kAsRoot);
  };
  const auto killed = start("--run-dir first training.epochs=100000");
  while (checkpoint_steps(folder / "first" / "checkpoints").empty() && !has_ended(*killed))
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  kill(process_of(folder.path(), 1), SIGKILL);
  killed->wait();
  REQUIRE(names_in(scratch).size() == 1);
  const std::string left = names_in(scratch)[0];
  CHECK(left.starts_with("vitrine-scratch-" + host_name() + "-"));

  // It might be that of one that just begins.
  CHECK(start("--run-dir second")->wait().code == 0);
  CHECK(names_in(scratch) == std::vector<std::string>{left});
  const auto age = [&] {
    fs::last_write_time(scratch / left, fs::file_time_type::clock::now() - std::chrono::hours(1));
  };
  age();
  {
    const Descriptor held = open_at(AT_FDCWD, scratch / left, O_RDONLY | O_DIRECTORY);
    REQUIRE(flock(held.get(), LOCK_EX | LOCK_NB) == 0);
    CHECK(start("--run-dir third")->wait().code == 0);
    CHECK(names_in(scratch) == std::vector<std::string>{left});
  }
  CHECK(start("--run-dir fourth")->wait().code == 0);
  CHECK(names_in(scratch).empty());
}

}  // namespace
}  // namespace vitrine

#include <csignal>

#include "tests/framework/cli/ranks.h"

namespace vitrine {
namespace {

TEST_CASE("a process that hangs ends the others, by its name") {
  need_mpi();
  const ResumedFolder folder;
  const std::vector<std::string> longer = {"training.epochs=100000"};
  for (const int hung : {1, 0}) {
    const std::string name = "run" + std::to_string(hung);
    Process process(ranks_command(2, runner_command({"small.yaml", "--run-dir", name, longer[0]})),
                    folder.path(), kAsRoot);
    while (checkpoint_steps(folder / name / "checkpoints").empty() && !has_ended(process))
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    const pid_t id = process_of(folder.path(), hung);
    REQUIRE(id > 0);
    kill(id, SIGSTOP);
    const Result result = process.wait();
    INFO(result.out << result.err);
    CHECK(result.code == 1);
    std::array<char, 256> host{};
    gethostname(host.data(), host.size() - 1);
    CHECK_THAT(result.err, Contains("rank " + std::to_string(hung) + " of 2 on " + host.data() +
                                    " has not answered for 15 s: it hangs, or it or its machine "
                                    "is gone\n"));
    if (hung == 1) CHECK(status_of(folder / name) == "failed");
    const int64_t saved = checkpoint_steps(folder / name / "checkpoints").back();
    const Result resumed = folder.run({"resume", name, "--stop-after", std::to_string(saved + 1)});
    INFO(resumed.out << resumed.err);
    CHECK(resumed.code == 75);
  }
}

TEST_CASE("processes that are all stopped for a while go on") {
  need_mpi();
  const ResumedFolder folder;
  Process process(ranks_command(2, runner_command({"small.yaml", "--run-dir", "run",
                                                   "training.epochs=100000"})),
                  folder.path(), kAsRoot);
  while (checkpoint_steps(folder / "run" / "checkpoints").empty() && !has_ended(process))
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  const pid_t ids[] = {process_of(folder.path(), 0), process_of(folder.path(), 1)};
  for (const pid_t id : ids) {
    REQUIRE(id > 0);
    kill(id, SIGSTOP);
  }
  std::this_thread::sleep_for(std::chrono::seconds(17));
  for (const pid_t id : ids) kill(id, SIGCONT);
  std::this_thread::sleep_for(std::chrono::seconds(1));
  kill(ids[1], SIGUSR1);
  const Result result = process.wait();
  INFO(result.out << result.err);
  CHECK(result.code == 75);
  CHECK(status_of(folder / "run") == "stopped");
}

}  // namespace
}  // namespace vitrine

#include "tests/framework/cli/support.h"

// Wrong words and wrong folders, and the whole of what the program answers.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

TEST_CASE("A wrong command line is answered with what to type instead") {
  const Desk desk;
  const auto said = [&](std::vector<std::string> arguments) {
    return desk.error(ExitCode::kUsage, std::move(arguments));
  };
  CHECK(said({"trian", "a.yaml"}) ==
        "error: \"trian\" is neither a config file nor a verb (did you mean train?); runner --help "
        "lists the verbs\n");
  CHECK(said({"a.yaml", "--epochs", "3"}) ==
        "error: The following argument was not expected: --epochs; runner train --help tells what "
        "it takes\n");
  CHECK(said({}) ==
        "error: give a config, such as configs/vit_digits.yaml, or a verb; runner --help lists the "
        "verbs\n");
  CHECK(said({"a.yaml", "--threads", "two"}) ==
        "error: --threads: expected a whole number at least 1, got \"two\"; runner train --help "
        "tells what it takes\n");
  CHECK(said({"resume", "run", "--stop-after", "0"}) ==
        "error: --stop-after: expected a whole number at least 1, got \"0\"; runner resume --help "
        "tells what it takes\n");
  CHECK(said({"a.yaml", "nonsense"}) ==
        "error: command line:1:1: expected key=value, got \"nonsense\"\n"
        "    1 | nonsense\n"
        "      | ^ such as optimizer.lr=0.01\n");
  CHECK(said({"a.yaml", "--resume"}) ==
        "error: --resume needs --run-dir DIR, the run to go on with; or use: runner resume RUN\n");
}

TEST_CASE("A folder without a run cannot be resumed") {
  const Desk desk;
  fs::create_directory(desk / "empty");
  CHECK(desk.error(ExitCode::kUsage, {"resume", "empty"}) ==
        "error: empty holds no run (no config.yaml, metrics.json or checkpoints)\n");
  desk.train("run");
  CHECK(desk.error(ExitCode::kUsage, {"resume", "rum"}) ==
        "error: rum is no run: there is no such directory; runs near it: ./run\n");
}

TEST_CASE("A directory that holds a run is not used again, nor changed into another run") {
  const Desk desk;
  desk.train("run");
  const std::string before = Process::read(desk / "run/metrics.json");
  CHECK(desk.error(ExitCode::kUsage, {"a.yaml", "--run-dir", "run"}) ==
        "error: run already holds a run: add --resume to go on with it, or name another directory "
        "with --run-dir\n");
  CHECK(desk.error(ExitCode::kCheckpoint, {"resume", "run", "model.hidden_d=16"}) ==
        "error: run/config.yaml: model.hidden_d cannot change in a run under way; start a new run "
        "for it\n");
  CHECK(desk.error(ExitCode::kCheckpoint, {"resume", "run", "dataset.train=200"}) ==
        "error: run/config.yaml: dataset.train cannot change in a run under way; start a new run "
        "for it\n");
  CHECK(Process::read(desk / "run/metrics.json") == before);
}

TEST_CASE("A run directory that cannot be made ends with the system's reason") {
  const Desk desk;
  CHECK(desk.error(ExitCode::kFailed, {"a.yaml", "--run-dir", "a.yaml/run"}) ==
        "error: cannot create the run directory a.yaml/run: Not a directory\n");
}

}  // namespace
}  // namespace vitrine

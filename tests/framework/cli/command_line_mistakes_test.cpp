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
        "error: rum is no run: there is no such directory" + desk.counted("rum") +
            "; runs near it: ./run\n");
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

TEST_CASE("An empty value is not taken for none") {
  const Desk desk;
  const auto said = [&](std::vector<std::string> arguments) {
    return desk.error(ExitCode::kUsage, std::move(arguments));
  };
  const std::string empty = ": expected a value, got an empty text; runner ";
  CHECK(said({"a.yaml", "--run-dir", ""}) ==
        "error: --run-dir" + empty + "train --help tells what it takes\n");
  CHECK(said({"a.yaml", "--device", ""}) ==
        "error: --device" + empty + "train --help tells what it takes\n");
  CHECK(said({"train", ""}) == "error: CONFIG" + empty + "train --help tells what it takes\n");
  CHECK(said({"test", "run", "--checkpoint", ""}) ==
        "error: --checkpoint" + empty + "test --help tells what it takes\n");
  CHECK(said({"status", ""}) == "error: RUN" + empty + "status --help tells what it takes\n");
  CHECK(said({"plot", "positions", "-o", ""}) ==
        "error: --output" + empty + "plot --help tells what it takes\n");
  CHECK(said({""}) ==
        "error: \"\" is neither a config file nor a verb; runner --help lists the verbs\n");
  CHECK_FALSE(fs::exists(desk / "runs"));
}

TEST_CASE("A stop behind the step that a run is at is refused") {
  const Desk desk;
  REQUIRE(desk.run({"a.yaml", "--run-dir", "run", "--stop-after", "2"}).code == 75);
  const std::string before = bytes_of(desk / "run/metrics.json");
  for (const char* step : {"1", "2"}) {
    const std::string message = std::string("error: run: --stop-after ") + step +
                                " lies behind: the run is at step 2 already\n";
    CHECK(desk.error(ExitCode::kUsage, {"resume", "run", "--stop-after", step}) == message);
    CHECK(desk.error(ExitCode::kUsage,
                     {"a.yaml", "--run-dir", "run", "--resume", "--stop-after", step}) == message);
  }
  CHECK(bytes_of(desk / "run/metrics.json") == before);
  CHECK(desk.run({"resume", "run", "--stop-after", "3"}).code == 0);  // which is the end
}

TEST_CASE("A dry run promises nothing that a run would refuse") {
  const Desk desk;
  desk.train("run");
  CHECK(desk.error(ExitCode::kUsage, {"a.yaml", "--run-dir", "run", "--dry-run"}) ==
        "error: run already holds a run: add --resume to go on with it, or name another directory "
        "with --run-dir\n");
  CHECK(desk.error(ExitCode::kUsage, {"a.yaml", "--dry-run", "--stop-after", "2"}) ==
        "error: --stop-after has no effect: a dry run ends after one step\n");
  // Its one step is all that there is to train.
  const Result whole = desk.run({"a.yaml", "--dry-run", "training.batch_size=256"});
  CHECK(whole.code == 0);
  CHECK_THAT(whole.out, EndsWith("\ndry run: config, data, model and all steps are sound; nothing "
                                 "was kept\n"));
}

TEST_CASE("A dry run without room for temporary files says where it looked") {
  const Desk desk;
  auto environment = isolated(desk / "");
  environment["TMPDIR"] = "no/such";
  const Result result = runner({"a.yaml", "--dry-run"}, desk / "", environment);
  CHECK(result.code == 1);
  CHECK(result.err ==
        "error: cannot make a folder for the dry run in no/such (TMPDIR): No such file or "
        "directory\n");
}

TEST_CASE("What has no effect on a test is refused by it") {
  const Desk desk;
  desk.train("run");
  const std::string hint =
      "a test takes device, backend, threads, plugins, dataset, model, loss, training.batch_size, "
      "training.precision, training.metrics\n";
  CHECK(desk.error(ExitCode::kUsage, {"test", "run", "training.epochs=9", "note=x"}) ==
        "error: command line:1:1: note has no effect on a test\n"
        "    1 | note=x\n"
        "      | ^ " +
            hint +
            "command line:1:10: training.epochs has no effect on a test\n"
            "    1 | training.epochs=9\n"
            "      |          ^ " +
            hint);
  CHECK(desk.error(ExitCode::kUsage,
                   {"test", "a.yaml", "model.weights=run/model.safetensors", "optimizer=sgd"}) ==
        "error: command line:1:1: optimizer has no effect on a test\n"
        "    1 | optimizer=sgd\n"
        "      | ^ " +
            hint);
  CHECK(desk.run({"test", "run", "dataset.test=32", "threads=2", "training.batch_size=16",
                  "backend=layers", "loss=cross_entropy"})
            .err == "");
  CHECK(desk.error(ExitCode::kUsage, {"test", "a.yaml"}) ==
        "error: there are no weights to test: give a run, or model.weights=FILE beside a config\n");
}

TEST_CASE("Links that end nowhere and files in the place of folders") {
  const Desk desk;
  fs::create_symlink("loop", desk / "loop");
  fs::create_symlink("nowhere", desk / "dangling");
  CHECK(desk.error(ExitCode::kUsage, {"status", "loop"}) ==
        "error: loop is no run: there is no such directory" + desk.counted("loop") + "\n");
  CHECK(desk.error(ExitCode::kUsage, {"status", "dangling"}) ==
        "error: nowhere is no run: there is no such directory" + desk.counted("nowhere") + "\n");
  CHECK(desk.error(ExitCode::kUsage, {"status", "a.yaml"}) ==
        "error: a.yaml is no run but a file; a run is a directory\n");
  desk.train("run");
  CHECK(desk.error(ExitCode::kUsage, {"compare", "run/metrics.json"}) ==
        "error: run/metrics.json is no run but a file; a run is a directory; runs near it: run\n");
}

TEST_CASE("A plug-in in the midst of a loop of links is named") {
  const Desk desk;
  fs::create_symlink("loop", desk / "loop");
  CHECK(desk.error(ExitCode::kPlugin, {"list", "--plugin", "loop/x.so"}) ==
        "error: plug-in loop/x.so: Too many levels of symbolic links\n");
}

TEST_CASE("A run directory that cannot be made ends with the system's reason") {
  const Desk desk;
  CHECK(desk.error(ExitCode::kFailed, {"a.yaml", "--run-dir", "a.yaml/run"}) ==
        "error: cannot create the run directory a.yaml/run: Not a directory\n");
}

}  // namespace
}  // namespace vitrine

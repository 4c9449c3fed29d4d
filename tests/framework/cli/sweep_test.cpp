#include <set>

#include "framework/config/yaml.h"
#include "framework/files/json.h"
#include "framework/images/encode.h"
#include "framework/runs/run_directory.h"
#include "tests/framework/cli/results.h"
#include "tests/framework/cli/sweep_folder.h"

// Sweeps from the command line; sweep_mistakes_test.cpp has those that are refused,
// sweep_kill_test.cpp those that are stopped.
namespace vitrine {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

size_t count(const std::string& text, const std::string& part) {
  size_t out = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++out;
  return out;
}

TEST_CASE("a sweep runs every possible combination once a seed, each the run that train makes") {
  const SweptFolder folder;
  const Result result =
      folder.sweep({"model.hidden_d=8,12", "model.n_heads=2,3", "seed=0..1", "--threads", "1"});
  CHECK(result.code == 0);
  CHECK(result.err ==
        "warning: left out 1 impossible cell:\n"
        "  hidden_d=8 n_heads=3: model: hidden_d (8) must be divisible by n_heads (3)\n");
  CHECK_THAT(result.out, StartsWith("small: 6 trials, 3 cells x 2 seeds, "));
  CHECK_THAT(result.out, Contains("\n6 trials: 6 finished\nbest: sweep/best -> trials/000"));
  CHECK_THAT(result.out, EndsWith("): the best seed would be luck\nsweep: sweep\n"));
  CHECK(names_in(folder / "sweep") == std::vector<std::string>{".lock", "best", "build",
                                                               "plan.json", "sweep.json",
                                                               "sweep.yaml", "trials"});
  std::vector<std::string> program = {"libvitrine_core.so", "libvitrine_engine.so", "runner"};
  if (std::filesystem::exists(VITRINE_BINARY_DIR "/libvitrine_mpi.so"))
    program.insert(program.end() - 1, "libvitrine_mpi.so");
  CHECK(names_in(folder / "sweep/build") == program);
  CHECK(names_in(folder / "sweep/trials") ==
        std::vector<std::string>{
            "0001-hidden_d-8-n_heads-2-seed-0", "0002-hidden_d-8-n_heads-2-seed-1",
            "0003-hidden_d-12-n_heads-2-seed-0", "0004-hidden_d-12-n_heads-2-seed-1",
            "0005-hidden_d-12-n_heads-3-seed-0", "0006-hidden_d-12-n_heads-3-seed-1"});

  const Result alone = folder.run({"small.yaml", "model.hidden_d=12", "model.n_heads=3", "seed=1",
                                   "--threads", "1", "--run-dir", "alone"});
  REQUIRE(alone.code == 0);
  check_equal(folder.trial("0006-hidden_d-12-n_heads-3-seed-1"), folder / "alone");

  const Json summary = Json::parse(bytes_of(folder / "sweep/sweep.json"));
  CHECK(summary.at("metric") == "validation/accuracy");
  REQUIRE(summary.at("trials").size() == 6);
  CHECK(summary["trials"][5].at("values") ==
        Json({{"model.hidden_d", 12}, {"model.n_heads", 3}, {"threads", 1}}));
  CHECK(summary["trials"][5].at("status") == "finished");
}

TEST_CASE("a sweep's best run is taken wherever a run is, by its link") {
  const SweptFolder folder;
  REQUIRE(folder.sweep({"seed=0..1", "training.max_steps=1"}).code == 0);
  const fs::path run = fs::canonical(folder / "sweep/best");
  CHECK(run.parent_path().filename() == "trials");
  const auto says = [&](std::vector<std::string> arguments) {
    const Result result = folder.run(arguments);
    INFO(result.err);
    CHECK(result.code == 0);
    return result.out;
  };
  CHECK_THAT(says({"test", "sweep/best"}), EndsWith("weights of step-00000001, 64 images\n"));
  CHECK_THAT(says({"export", "sweep/best", "x.safetensors"}), StartsWith("wrote x.safetensors"));
  const std::string trial = "sweep/trials/" + run.filename().string();
  CHECK(says({"plot", "positions", "sweep/best"}) == "wrote " + trial + "/plots/positions.png\n");
  write_plain(folder / "grey.png", encode_png({28, 28, 1, std::vector<uint8_t>(28 * 28, 128)}));
  CHECK_THAT(says({"predict", "sweep/best", "grey.png"}), StartsWith("image"));
  CHECK_THAT(says({"status", "sweep/best"}), Contains("\n" + trial + " "));
  CHECK(Json::parse(says({"compare", "sweep", "--json"})).at("groups")[0].at("runs").size() == 2);
  CHECK_THAT(says({"resume", "sweep/best"}), Contains("is finished"));
}

TEST_CASE("configs of one file name are told apart by their folders") {
  const SweptFolder folder;
  for (const std::string name : {"a", "b"}) {
    fs::create_directory(folder / name);
    write_plain(folder / name / "x.yaml", "base: ../small.yaml\nmodel: {n_blocks: " +
                                              std::string(name == "a" ? "1" : "2") + "}\n");
  }
  const Result result = folder.run(
      {"sweep", "a/x.yaml", "b/x.yaml", "training.max_steps=1", "--run-dir", "sweep", "--json"});
  CHECK(result.code == 0);
  CHECK(names_in(folder / "sweep/trials") == std::vector<std::string>{"0001-a-x", "0002-b-x"});
  const Json json = Json::parse(result.out);
  std::set<std::string> cells;
  for (const Json& cell : json.at("cells")) cells.insert(cell.at("cell"));
  CHECK(cells == std::set<std::string>{"a/x", "b/x"});
}

TEST_CASE("the folder of a sweep is used by nothing else") {
  const SweptFolder folder;
  REQUIRE(folder.sweep({"seed=0..1", "training.max_steps=1"}).code == 0);
  CHECK(folder.refused({"sweep", "small.yaml", "--run-dir", "sweep"}) ==
        "error: sweep already holds a sweep; go on with it: runner resume sweep, or name another "
        "directory with --run-dir\n");
  CHECK(folder.refused({"small.yaml", "--run-dir", "sweep"}) ==
        "error: sweep holds a sweep; name another directory with --run-dir\n");
  CHECK(folder.refused({"resume", "sweep", "--stop-after", "5"}) ==
        "error: the trials of a sweep cannot change under way; runner resume takes more seeds "
        "(seed=0..9), values and sweep.trials, --jobs, --retry-failed, --confirm and --json for a "
        "sweep\n");
  REQUIRE(folder.run({"small.yaml", "--run-dir", "run", "training.max_steps=1"}).code == 0);
  CHECK(folder.refused({"resume", "run", "--retry-failed"}) ==
        "error: --retry-failed, --jobs and --confirm are for sweeps; run holds none\n");
  CHECK_THAT(folder.refused({"sweep", "small.yaml", "--run-dir", "run"}),
             StartsWith("error: run holds a run; name another directory with --run-dir"));
}

TEST_CASE("a dry run tells what each cell costs, and makes nothing") {
  const SweptFolder folder;
  const Result result = folder.run({"sweep", "small.yaml", "model.hidden_d=8,16,18",
                                    "model.n_heads=4", "seed=0..9", "--dry-run", "--jobs", "2"});
  CHECK(result.code == 0);
  CHECK_THAT(result.out, StartsWith("small: 20 trials, 2 cells x 10 seeds, 2 at a time\n"
                                    "cell         parameters  FLOPs an image  steps  time a trial\n"
                                    "hidden_d=8        1,386          18,880     30"));
  CHECK_THAT(result.out,
             Contains("\ntraining alone, timed on some steps of each cell here: about "));
  CHECK_THAT(result.err, StartsWith("warning: left out 1 impossible cell:\n"));
  CHECK(names_in(folder.path()) == std::vector<std::string>{"small.yaml"});

  const Result json = folder.run(
      {"sweep", "small.yaml", "model.hidden_d=8,16", "--dry-run", "--json", "--jobs", "1"});
  const Json plan = Json::parse(json.out);
  CHECK(plan.at("jobs") == 1);
  REQUIRE(plan.at("cells").size() == 2);
  CHECK(plan["cells"][1].at("cell") == "hidden_d=16");
  CHECK(plan["cells"][1].at("steps") == 30);
}

TEST_CASE("values of a key may be longer than any file's name") {
  const SweptFolder folder;
  const std::string zeros(300, '0');
  const Result result =
      folder.sweep({"optimizer.lr=0.1" + zeros + ",0.2" + zeros, "--dry-run", "--jobs", "1"});
  CHECK(result.err == "");
  CHECK_THAT(result.out, StartsWith("small: 2 trials, 2 cells x 1 seed, 1 at a time\n"));
}

TEST_CASE("a sweep whose frozen program is gone is told what it misses") {
  const SweptFolder folder;
  REQUIRE(folder.sweep({"seed=0..1", "training.max_steps=1"}).code == 0);
  fs::remove(folder.trial("0001-small-seed-0") / "metrics.json");
  fs::remove(folder / "sweep/build/runner");
  const Result result = folder.run({"resume", "sweep"});
  CHECK(result.code == 1);
  CHECK_THAT(result.err, StartsWith("error: cannot start "));
  CHECK_THAT(result.err, EndsWith("/sweep/build/runner: No such file or directory\n"));
}

TEST_CASE("several configs are swept side by side") {
  const SweptFolder folder;
  write_plain(folder / "other.yaml", "base: small.yaml\nmodel: {mlp: swiglu}\n");
  const Result result = folder.run({"sweep", "small.yaml", "other.yaml", "seed=0..1",
                                    "training.max_steps=1", "--run-dir", "sweep"});
  CHECK(result.code == 0);
  CHECK(names_in(folder / "sweep/trials") ==
        std::vector<std::string>{"0001-small-seed-0", "0002-small-seed-1", "0003-other-seed-0",
                                 "0004-other-seed-1"});
  const Node config = read_yaml(folder.trial("0004-other-seed-1") / "config.yaml");
  CHECK(config.at_path("model.mlp.type")->scalar == "swiglu");
  CHECK(config.at_path("seed")->scalar == "1");
}

TEST_CASE("without a validation split there is no best") {
  const SweptFolder folder;
  const Result result = folder.sweep({"dataset.validation=0", "seed=0..1", "training.max_steps=1"});
  CHECK(result.code == 0);
  CHECK_THAT(result.out,
             EndsWith("2 trials: 2 finished\nno best: without a validation split "
                      "(dataset.validation) there is nothing to choose by\nsweep: sweep\n"));
  CHECK_FALSE(fs::exists(fs::symlink_status(folder / "sweep/best")));
  CHECK(folder.refused({"test", "sweep/best"}) ==
        "error: sweep/best: the sweep has no best: without a validation split (dataset.validation) "
        "there is nothing to choose by; runs of the sweep: sweep/trials/0001-small-seed-0, "
        "sweep/trials/0002-small-seed-1\n");
  CHECK_THAT(folder.run({"status", "sweep"}).out, EndsWith("\nsweep: 2 trials: 2 finished\n"));
  CHECK(
      folder.refused({"resume", "sweep", "--confirm"}) ==
      "error: --confirm: the sweep has no best; there is no validation split (dataset.validation) "
      "to choose by\n");
}

TEST_CASE("a trial that diverges spoils no other, and is run again by --retry-failed alone") {
  const SweptFolder folder;
  const Result result = folder.sweep({"optimizer.lr=0.005,1e30", "seed=0..1", "--jobs", "1"});
  CHECK(result.code == 1);
  CHECK_THAT(result.out, Contains("\nlr=1e30   0/2                      -  2 of 2 diverged\n"
                                  "4 trials: 2 finished, 2 diverged\n"
                                  "best: sweep/best -> trials/0001-lr-0.005-seed-0\n"));
  CHECK_THAT(result.out,
             EndsWith("\nrun what failed again with: runner resume sweep --retry-failed\n"));
  const std::string error =
      "(the loss is not finite by step 10 (epoch 1): training has diverged. A lower optimizer.lr ";
  CHECK(count(result.out, error) == 2);

  const Result status = folder.run({"status", "sweep"});
  CHECK(count(status.out, "  diverged ") == 2);
  CHECK(count(status.out, "  finished ") == 2);
  CHECK_THAT(status.out,
             Contains("\nsweep/trials/0003-lr-1e30-seed-0: the loss is not finite by "));
  const Json rows = Json::parse(folder.run({"status", "sweep", "--json"}).out);
  REQUIRE(rows.size() == 4);
  CHECK(rows[2].at("sweep") == "sweep");
  CHECK_THAT(rows[2].at("error").get<std::string>(), StartsWith("the loss is not finite"));

  CHECK(count(folder.run({"resume", "sweep"}).out, error) == 0);
  const Result again = folder.run({"resume", "sweep", "--retry-failed"});
  CHECK(again.code == 1);
  CHECK(count(again.out, error) == 2);
}

TEST_CASE("a trial that fails is told with its last error, and goes on once the cause is gone") {
  const SweptFolder folder;
  REQUIRE(folder.sweep({"seed=0..1"}).code == 0);
  const fs::path checkpoints = folder.trial("0002-small-seed-1") / "checkpoints";
  // As if it had been stopped, and then damaged.
  fs::remove(folder.trial("0002-small-seed-1") / "metrics.json");
  fs::rename(checkpoints, folder / "kept");
  fs::create_directory(checkpoints);
  for (const std::string& name : names_in(folder / "kept")) write_plain(checkpoints / name, "x");
  const Result failed = folder.run({"resume", "sweep"});
  CHECK(failed.code == 1);
  CHECK_THAT(failed.out, Contains("small, seed 1: failed ("));
  CHECK_THAT(failed.out,
             EndsWith("2 trials: 1 finished, 1 failed\n"
                      "best: sweep/best -> trials/0001-small-seed-0\n"
                      "      of small (1 of 2 failed): 18.75 %\n"
                      "run what failed again with: runner resume sweep --retry-failed\n"));
  fs::remove_all(checkpoints);
  fs::rename(folder / "kept", checkpoints);
  CHECK(folder.run({"resume", "sweep"}).code == 1);
  CHECK(folder.run({"resume", "sweep", "--retry-failed"}).code == 0);
}

TEST_CASE("asha: a trial that went on from rung to rung is one that was never stopped") {
  const SweptFolder folder;
  const Result result = folder.sweep({"sweep.method=asha", "sweep.trials=3", "sweep.method.eta=2",
                                      "training.epochs=4", "schedule=cosine",
                                      "optimizer.lr=0.001,0.01,0.1", "--jobs", "1"});
  CHECK(result.code == 0);
  CHECK_THAT(result.out, Contains(" paused"));
  size_t finished = 0;
  for (const std::string& name : names_in(folder / "sweep/trials")) {
    const fs::path run = folder.trial(name);
    if (!fs::exists(run / "test.json")) continue;
    ++finished;
    CHECK(count(bytes_of(run / "output.txt"), "going on from step-") == 2);
    const std::string alone = "alone-" + name;
    REQUIRE(folder.run({(run / "config.yaml").string(), "--run-dir", alone}).code == 0);
    check_equal(run, folder / alone);
  }
  CHECK(finished >= 1);
  CHECK(finished < 3);
  const Result status = folder.run({"status", "sweep"});
  CHECK(count(status.out, "  paused ") == 3 - finished);
}

TEST_CASE("--confirm runs the best cells again on seeds that chose nothing") {
  const SweptFolder folder;
  const Result result = folder.sweep(
      {"optimizer.lr=0.001,0.01,0.1", "seed=0,4", "--confirm", "--top", "1", "--seeds", "3"});
  CHECK(result.code == 0);
  const auto trials = names_in(folder / "sweep/trials");
  REQUIRE(trials.size() == 9);
  for (size_t i = 0; i < 3; ++i) {
    CHECK_THAT(trials[6 + i], StartsWith("000" + std::to_string(7 + i) + "-confirm-lr-"));
    CHECK_THAT(trials[6 + i], EndsWith("-seed-" + std::to_string(5 + i)));
  }
  CHECK_THAT(result.out, Contains("\nconfirmed on fresh seeds  seeds  validation/accuracy\n"));
  CHECK_THAT(result.out, Contains("3/3"));
  CHECK_THAT(folder.run({"status", "sweep"}).out, Contains("; best confirmed "));
  CHECK(read_yaml(folder.trial(trials[8]) / "config.yaml").at_path("tags.0")->scalar ==
        "confirming");
  // What won by luck and what confirms it are not averaged.
  const Json groups = Json::parse(folder.run({"compare", "sweep", "--json"}).out).at("groups");
  REQUIRE(groups.size() == 4);
  for (const Json& group : groups)
    CHECK(group.at("runs").size() == (group.at("values").contains("confirming") ? 3 : 2));
  // Once is enough.
  const Result again = folder.run({"resume", "sweep", "--confirm"});
  CHECK(again.code == 0);
  CHECK(again.err ==
        "warning: --confirm changes nothing: the best are run again already, 1 cell x 3 seeds\n");
  CHECK(names_in(folder / "sweep/trials").size() == 9);
}

TEST_CASE("what --confirm will cost, and that it found fewer cells than it was to, is told") {
  const SweptFolder folder;
  const std::vector<std::string> lrs = {
      "optimizer.lr=0.005,1e30", "training.max_steps=1", "--confirm", "--top", "2", "--seeds", "2"};
  std::vector<std::string> plan = lrs;
  plan.push_back("--dry-run");
  CHECK_THAT(folder.sweep(plan).out,
             Contains("\nthen --confirm: 2 cells x 2 seeds, 4 trials more, "));
  std::vector<std::string> run = lrs;
  run[0] = "optimizer.lr=0.005";
  CHECK(folder.sweep(run).err ==
        "warning: --top 2: there were no more than 1 cell with a finished trial\n");
}

TEST_CASE("plug-ins are frozen with the sweep") {
  const SweptFolder folder;
  fs::copy_file(VITRINE_BINARY_DIR "/test_plugin_good.so", folder / "good.so");
  const Result result = folder.sweep({"plugins=good.so", "seed=0..1", "training.max_steps=1"});
  REQUIRE(result.code == 0);
  const Node config = read_yaml(folder.trial("0001-small-seed-0") / "config.yaml");
  const fs::path copy = config.at_path("plugins.0")->scalar;
  CHECK(fs::equivalent(copy, folder / "sweep/build/plugin-1-good.so"));
  // By what it was built from, not by what the copy is called; so is the program.
  const Json environment =
      json_of(folder.trial("0001-small-seed-0") / "metrics.json").at("environment");
  REQUIRE(environment.at("plugins").size() == 1);
  CHECK(environment["plugins"][0].at("name") == "test_plugin_good");
  CHECK(environment["plugins"][0].at("sources").get<std::string>().size() == 64);
  CHECK(environment.at("sources") ==
        sha256_hex(bytes_of(VITRINE_BINARY_DIR "/generated/code/vitrine_engine.sha256")));
  fs::remove(folder / "good.so");
  fs::remove_all(folder.trial("0001-small-seed-0") / "checkpoints");
  fs::remove(folder.trial("0001-small-seed-0") / "metrics.json");
  CHECK(folder.run({"resume", "sweep"}).code == 0);
}

TEST_CASE("the result as JSON") {
  const SweptFolder folder;
  const Result result = folder.sweep({"seed=0..1", "training.max_steps=1", "--json"});
  CHECK(result.code == 0);
  const Json json = Json::parse(result.out);
  CHECK(json.at("exit_code") == 0);
  REQUIRE(json.at("trials").size() == 2);
  CHECK(json["trials"][1].at("seed") == 1);
  CHECK(json["trials"][1].at("status") == "finished");
  CHECK(json.at("metric") == "validation/accuracy");
  REQUIRE(json.at("cells").size() == 1);
  CHECK(json["cells"][0].at("finished") == 2);
  CHECK(json.at("confirmed").empty());
}

TEST_CASE("a terminal shows a table that changes, and a log none of it") {
  const SweptFolder folder;
  const std::string command = VITRINE_BINARY_DIR
      "/runner sweep small.yaml seed=0..1 training.epochs=60 --run-dir sweep --jobs 1";
  const Result shown =
      Process({"script", "-qec", command, "/dev/null"}, folder.path(), {{"TERM", "xterm"}}).wait();
  CHECK(shown.code == 0);
  CHECK_THAT(shown.out, Contains("2 trials: 1 running, 1 waiting"));
  CHECK_THAT(shown.out, Contains("  small, seed 0: epoch "));
  CHECK_THAT(shown.out, Contains("\033[2A\r\033[J"));
  const Result logged = folder.run({"sweep", "small.yaml", "seed=0..1", "--run-dir", "other"});
  CHECK(count(logged.out + logged.err, "\033") == 0);
  CHECK(count(logged.out + logged.err, "\r") == 0);
}

}  // namespace
}  // namespace vitrine

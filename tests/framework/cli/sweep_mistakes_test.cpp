#include "framework/runs/run_directory.h"
#include "tests/framework/cli/sweep_folder.h"

// Sweeps that are refused, and what is left out of one.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

TEST_CASE("an impossible cell is refused by --strict, and nothing is made") {
  const SweptFolder folder;
  CHECK(folder.refused({"sweep", "small.yaml", "model.n_heads=2,3", "--strict"}) ==
        "error: 1 impossible cell:\n"
        "  n_heads=3: model: hidden_d (8) must be divisible by n_heads (3)\n");
  CHECK_FALSE(fs::exists(folder / "runs"));
}

TEST_CASE("who lists the items of one value is told how a list is a choice") {
  const SweptFolder folder;
  CHECK(folder.refused({"sweep", "small.yaml", "optimizer.betas=0.9,0.999"}) ==
        "error: no cell of the sweep is possible:\n"
        "  betas=0.9: optimizer: betas takes two numbers, got 1\n"
        "  betas=0.999: optimizer: betas takes two numbers, got 1\n"
        "its values are choices, so a list that is one of them has brackets of its own: "
        "optimizer.betas: [[0.9, 0.999]], or optimizer.betas=[0.9, 0.999] on the command line\n");
  CHECK_FALSE(fs::exists(folder / "runs"));
}

TEST_CASE("a typing mistake is never taken for an impossible cell") {
  const SweptFolder folder;
  CHECK(folder.refused({"sweep", "small.yaml", "model.mlp=gelu,gleu"}) ==
        "error: command line:1:16: model.mlp: unknown mlp \"gleu\"\n"
        "    1 | model.mlp=gelu,gleu\n"
        "      |                ^ did you mean gelu? there are gelu, relu, squared_relu, swiglu\n");
  CHECK(folder.refused({"sweep", "small.yaml", "model.hiden_d=8,16"}) ==
        "error: command line:1:7: model.hiden_d: unknown key\n"
        "    1 | model.hiden_d=8,16\n"
        "      |       ^ did you mean model.hidden_d?\n");
  CHECK_FALSE(fs::exists(folder / "runs"));
}

TEST_CASE("a sweep of which no cell is possible is refused with the reasons") {
  const SweptFolder folder;
  CHECK(folder.refused({"sweep", "small.yaml", "model.n_heads=3"}) ==
        "error: small.yaml:3:57: model: hidden_d (8) must be divisible by n_heads (3)\n"
        "    3 | model: {type: vit, n_patches: 4, n_blocks: 1, hidden_d: 8, n_heads: 2}\n"
        "      |                                                         ^ n_heads is at command "
        "line:1:15\n");
  CHECK(folder.refused({"sweep", "small.yaml", "model.n_heads=3,5"}) ==
        "error: no cell of the sweep is possible:\n"
        "  n_heads=3: model: hidden_d (8) must be divisible by n_heads (3)\n"
        "  n_heads=5: model: hidden_d (8) must be divisible by n_heads (5)\n");
}

TEST_CASE("a model that is too large for the memory is left out of a sweep") {
  const SweptFolder folder;
  const Result result =
      folder.run({"sweep", "small.yaml", "model.hidden_d=8,1000000", "--dry-run"});
  CHECK(result.code == 0);
  CHECK(without_sanitizer(result.err) ==
        "warning: left out 1 impossible cell:\n"
        "  hidden_d=1000000: the model needs more memory than there is\n");
}

TEST_CASE("options of Slurm without the launcher slurm are told to have no effect") {
  const SweptFolder folder;
  const Result result =
      folder.run({"sweep", "small.yaml", "seed=0..1", "sweep.slurm.time=60", "--dry-run"});
  CHECK(result.code == 0);
  CHECK(result.err ==
        "warning: sweep.slurm has no effect: the launcher is local (--launcher slurm)\n");
}

TEST_CASE("values that are equal however they are written are refused") {
  const SweptFolder folder;
  CHECK(folder.refused({"sweep", "small.yaml", "optimizer.lr=0.01,1e-2"}) ==
        "error: lr=0.01 and lr=1e-2 are the same: every value is equal\n");
  write_plain(folder / "other.yaml", "base: small.yaml\nname: other\n");
  CHECK(folder.refused({"sweep", "small.yaml", "other.yaml", "seed=0..1"}) ==
        "error: small and other are the same: every value is equal\n");
}

TEST_CASE("what a sweep is refused for") {
  const SweptFolder folder;
  write_plain(folder / "sizes.yaml", "base: small.yaml\nsweep: {seeds: 0..1}\n");
  CHECK(folder.refused({"sizes.yaml"}) ==
        "error: sizes.yaml:2:1: sweep: this file describes a sweep of many runs\n"
        "    2 | sweep: {seeds: 0..1}\n"
        "      | ^ start it with: runner sweep sizes.yaml\n");
  CHECK(folder.refused({"sweep", "seed=0..1"}) ==
        "error: sweep needs a config, or a sweep file, to start from\n");
  CHECK(folder.refused({"sweep", "small.yaml", "sweep.metric=test/accuracy"}) ==
        "error: command line:1:14: sweep: the best cannot be chosen by test/accuracy: the test set "
        "would no longer tell how good it is on new images; choose by what validation tells\n"
        "    1 | sweep.metric=test/accuracy\n"
        "      |              ^\n");
  CHECK(
      folder.refused(
          {"sweep", "small.yaml", "dataset.validation=0,32", "sweep.metric=validation/loss"}) ==
      "error: command line:1:14: sweep.metric: validation/loss is not known of validation=0: there "
      "is no validation split\n"
      "    1 | sweep.metric=validation/loss\n"
      "      |              ^ dataset.validation=0.1 makes one\n");
  CHECK(folder.refused({"sweep", "small.yaml", "sweep.metric=validation/accuracy.odd"}) ==
        "error: command line:1:14: sweep.metric: validation/accuracy.odd is not known of small: it "
        "tells train/accuracy, train/loss, validation/accuracy, validation/loss\n"
        "    1 | sweep.metric=validation/accuracy.odd\n"
        "      |              ^ did you mean validation/accuracy?\n");
  CHECK(folder.refused({"sweep", "small.yaml", "--top", "2"}) ==
        "error: --top and --seeds tell what --confirm runs again; add it\n");
  CHECK(folder.refused({"sweep", "small.yaml", "dataset.validation=0", "--confirm"}) ==
        "error: small.yaml: sweep.metric: validation/accuracy is not known of small: there is no "
        "validation split\n"
        "      dataset.validation=0.1 makes one\n");
  const std::vector<std::string> asha = {"sweep", "small.yaml", "optimizer.lr=0.1,0.01",
                                         "sweep.method=asha", "sweep.trials=2"};
  const auto with = [&](const std::string& word) {
    std::vector<std::string> out = asha;
    out.push_back(word);
    return out;
  };
  CHECK(folder.refused(with("seed=0..1")) ==
        "error: command line:1:6: sweep.seeds: asha compares single runs and takes one seed\n"
        "    1 | seed=0..1\n"
        "      |      ^ --confirm runs the winners again on fresh seeds\n");
  CHECK(folder.refused(with("training.epochs=3,4")) ==
        "error: command line:1:1: training.epochs: asha compares trials after equal numbers of "
        "epochs\n"
        "    1 | training.epochs=3,4\n"
        "      | ^ the same number for all of them\n");
  CHECK(folder.refused(with("training.max_steps=5")) ==
        "error: command line:1:1: training.max_steps: asha compares trials after whole epochs\n"
        "    1 | training.max_steps=5\n"
        "      | ^ training.epochs says how many\n");
  CHECK(folder.refused(with("sweep.method.min_epochs=3")) ==
        "error: command line:1:25: sweep.method.min_epochs (3) must be below training.epochs (3)\n"
        "    1 | sweep.method.min_epochs=3\n"
        "      |                         ^ else asha would never compare\n");
  CHECK(names_in(folder.path()) == std::vector<std::string>{"sizes.yaml", "small.yaml"});
}

TEST_CASE("what an attempt left is neither run over nor taken for a sweep") {
  const SweptFolder folder;
  fs::create_directories(folder / "sweep/trials/mine");
  CHECK(folder.refused({"sweep", "small.yaml", "seed=0..1", "--run-dir", "sweep"}) ==
        "error: " + (folder / "sweep/trials").string() +
            " is there, but no sweep: remove it, or name another directory with "
            "--run-dir\n");
  CHECK(names_in(folder / "sweep/trials") == std::vector<std::string>{"mine"});
}

// As a process leaves a sweep's folder that is killed while it makes it.
void undo_making(const SweptFolder& folder) {
  fs::remove(folder / "sweep/plan.json");
  fs::remove(folder / "sweep/sweep.json");
  write_plain(folder / "sweep/.making", "");
  write_plain(folder / "sweep/build/.runner0123.part", "half");
}

TEST_CASE("a sweep that was killed while it was made is made by the same command") {
  const SweptFolder folder;
  REQUIRE(folder.run({"sweep", "small.yaml", "seed=0..1", "--run-dir", "sweep"}).code == 0);
  for (const char* trial : {"0001-small-seed-0", "0002-small-seed-1"}) {
    for (const std::string& name : names_in(folder.trial(trial))) {
      if (name != "config.yaml") fs::remove_all(folder.trial(trial) / name);
    }
  }
  undo_making(folder);
  CHECK(folder.refused({"resume", "sweep"}).starts_with("error: "));
  const Result made = folder.run({"sweep", "small.yaml", "seed=0", "--run-dir", "sweep"});
  CHECK(made.err == "");
  CHECK(made.code == 0);
  CHECK(names_in(folder / "sweep/trials") == std::vector<std::string>{"0001-small"});
  CHECK_FALSE(fs::exists(folder / "sweep/.making"));
}

TEST_CASE("what somebody put into a sweep that is not whole is kept") {
  const SweptFolder folder;
  REQUIRE(folder.run({"sweep", "small.yaml", "seed=0", "--run-dir", "sweep"}).code == 0);
  undo_making(folder);
  const fs::path mine = folder.trial("0001-small") / "notes.txt";
  write_plain(mine, "mine");
  CHECK(folder.refused({"sweep", "small.yaml", "seed=0", "--run-dir", "sweep"}) ==
        "error: " + (folder / "sweep/trials").string() +
            " is there, but no sweep: remove it, or name another directory with --run-dir\n");
  CHECK(bytes_of(mine) == "mine");
}

TEST_CASE("that sweep.json cannot be written is said, and ends nothing") {
  const SweptFolder folder;
  REQUIRE(folder.run({"sweep", "small.yaml", "seed=0", "--run-dir", "sweep"}).code == 0);
  const fs::path file = folder / "sweep/sweep.json";
  fs::remove(file);
  fs::create_directory(file);
  const Result result = folder.run({"resume", "sweep", "seed=0..1"});
  CHECK(result.code == 0);
  CHECK_THAT(result.out, Contains("2 trials: 2 finished\n"));
  CHECK(result.err == "warning: cannot write " + file.string() + ": Is a directory\n");
}

TEST_CASE("data that are missing are told once, before a sweep is made") {
  const Desk desk;
  const std::string error = desk.error(
      ExitCode::kData,
      {"sweep", "a.yaml", "dataset={type: mnist, root: there}", "seed=0..1", "--run-dir", "sweep"});
  CHECK_THAT(error,
             Contains("error: MNIST was not found. Tried (relative paths count from the current "
                      "folder):\n  " +
                      (desk / "there/mnist").string() + ": no such folder\n"));
  CHECK_FALSE(fs::exists(desk / "sweep"));
}

TEST_CASE("fewer draws than were asked for are told") {
  const SweptFolder folder;
  const Result result =
      folder.run({"sweep", "small.yaml", "model.hidden_d=8,12", "model.n_heads=2,3",
                  "sweep.method=random", "sweep.trials=5", "--dry-run"});
  CHECK(result.code == 0);
  CHECK(result.err ==
        "warning: left out 1 impossible cell:\n"
        "  hidden_d=8 n_heads=3: model: hidden_d (8) must be divisible by n_heads (3)\n"
        "warning: drew 3 cells instead of 5: there are no more that are possible\n");
}

}  // namespace
}  // namespace vitrine

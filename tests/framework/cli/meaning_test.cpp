#include "framework/config/yaml.h"
#include "tests/framework/cli/sweep_folder.h"

// What a key means for the results, from the config to the comparison.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

TEST_CASE("what was derived stays derived in the run's config") {
  const SweptFolder folder;
  REQUIRE(folder.run({"small.yaml", "--run-dir", "run", "training.max_steps=2"}).code == 0);
  const Node config = read_yaml(folder / "run/config.yaml");
  CHECK(config.at_path("device")->scalar == "auto");
  CHECK(config.at_path("threads")->kind == Node::Kind::kNull);
  CHECK(config.at_path("backend")->scalar == "auto");
  const Json execution = json_of(folder / "run/metrics.json").at("execution");
  CHECK(execution.at("device") ==
        Json({{"value", "cpu"}, {"derived", true}, {"why", "no GPU is here"}}));
  CHECK(execution.at("backend") ==
        Json({{"value", "fused"},
              {"derived", true},
              {"why", "the model can be recorded, and is faster than in layers"}}));
  // Another model is served in another way.
  const Result other = folder.run(
      {"run/config.yaml", "plugins=[" VITRINE_BINARY_DIR "/test_plugin_sine.so]", "model.mlp=sine",
       "training.max_steps=1", "--threads", "1", "--run-dir", "other"});
  CHECK(other.err == "loading the plug-in " VITRINE_BINARY_DIR "/test_plugin_sine.so\n");
  CHECK(other.code == 0);
  const Json of_other = json_of(folder / "other/metrics.json").at("execution");
  CHECK(of_other.at("backend").at("value") == "layers");
  CHECK(of_other.at("threads") == Json({{"value", 1}, {"derived", false}, {"why", "asked for"}}));
}

TEST_CASE("the same weights in two places are one experiment") {
  const SweptFolder folder;
  const std::string steps = "training.max_steps=1";
  REQUIRE(folder.run({"small.yaml", "--run-dir", "w", steps}).code == 0);
  for (const char* place : {"A", "B"}) {
    fs::create_directory(folder / place);
    fs::copy(folder / "w/model.safetensors", folder / place / "w");
  }
  REQUIRE(folder.run({"small.yaml", "--run-dir", "runs/a", steps, "model.weights=A/w"}).code == 0);
  REQUIRE(folder.run({"small.yaml", "--run-dir", "runs/b", steps, "model.weights=B/w", "seed=1"})
              .code == 0);
  const Json one = Json::parse(folder.run({"compare", "runs", "--json"}).out);
  CHECK(one.at("keys").empty());
  REQUIRE(one.at("groups").size() == 1);
  CHECK(one.at("groups")[0].at("runs").size() == 2);

  REQUIRE(folder.run({"small.yaml", "--run-dir", "v", steps, "seed=5"}).code == 0);
  REQUIRE(
      folder.run({"small.yaml", "--run-dir", "runs/c", steps, "model.weights=v/model.safetensors"})
          .code == 0);
  const Json two = Json::parse(folder.run({"compare", "runs", "--json"}).out);
  CHECK(two.at("keys") == Json({"model.weights"}));
  CHECK(two.at("groups").size() == 2);
}

TEST_CASE("a run tells what its tests measure, and compare parts runs by it") {
  const SweptFolder folder;
  const auto train = [&](const std::string& name, std::vector<std::string> more) {
    more.insert(more.begin(), {"small.yaml", "--run-dir", "runs/" + name, "training.max_steps=1"});
    REQUIRE(folder.run(more).code == 0);
    return json_of(folder / ("runs/" + name) / "metrics.json");
  };
  const Json plain = train("a", {}), longer = train("b", {"dataset.train=200"});
  CHECK(plain.at("dataset").at("sha256") != longer.at("dataset").at("sha256"));
  CHECK(plain.at("dataset").at("test_sha256") == longer.at("dataset").at("test_sha256"));
  CHECK(plain.at("model").at("tasks") == longer.at("model").at("tasks"));
  CHECK(plain.at("model").at("tasks")[0].at("name") == "class");
  CHECK(plain.at("model").at("tasks")[0].at("weight") == 1);
  const Json fewer = train("c", {"dataset.limit_test=20"});
  CHECK(fewer.at("dataset").at("sha256") == plain.at("dataset").at("sha256"));
  CHECK(fewer.at("dataset").at("test_sha256") != plain.at("dataset").at("test_sha256"));
  const Json tasks = train("d", {"model.tasks=[{name: big, target: {above: 5}}]"});
  CHECK(tasks.at("dataset").at("test_sha256") == plain.at("dataset").at("test_sha256"));
  CHECK(tasks.at("model").at("tasks")[0].at("targets") !=
        plain.at("model").at("tasks")[0].at("targets"));

  const Json compared = Json::parse(folder.run({"compare", "runs", "--json"}).out);
  const std::string images =
      ", " + std::to_string(plain.at("dataset").at("test").get<int>()) + " test images";
  REQUIRE(compared.at("sections").size() == 3);
  CHECK(compared.at("sections")[0].at("label") == "digits" + images + ", task class");
  CHECK(compared.at("sections")[0].at("keys") == Json({"dataset.train"}));
  CHECK(compared.at("sections")[1].at("label") == "digits, 20 test images");
  CHECK(compared.at("sections")[2].at("label") == "digits" + images + ", task big");
}

TEST_CASE("weights may lie elsewhere when a run goes on, but may not be others") {
  const SweptFolder folder;
  REQUIRE(folder.run({"small.yaml", "--run-dir", "w", "training.max_steps=1"}).code == 0);
  fs::copy(folder / "w/model.safetensors", folder / "first");
  REQUIRE(folder.run({"small.yaml", "--run-dir", "run", "model.weights=first", "--stop-after", "2"})
              .code == 75);
  fs::rename(folder / "first", folder / "moved");
  const Result moved = folder.run({"resume", "run", "model.weights=moved", "--stop-after", "4"});
  CHECK(moved.err == "");
  CHECK(moved.code == 75);
  CHECK(json_of(folder / "run/metrics.json").at("exact") == true);

  REQUIRE(folder.run({"small.yaml", "--run-dir", "v", "training.max_steps=1", "seed=5"}).code == 0);
  const Result other = folder.run({"resume", "run", "model.weights=v/model.safetensors"});
  CHECK(other.code == 5);
  CHECK_THAT(other.err, Contains("run: model.weights is not what this run began with (SHA-256 "));
}

TEST_CASE("a constant that gives way to a default is told") {
  const SweptFolder folder;
  write_plain(folder / "c.yaml",
              std::string(kSweptConfig) + "optimizer: {type: adam, lr: 0.005, amsgrad: true}\n");
  const std::string note =
      "optimizer: adamw takes its own lr 0.001; adam's lr 0.005 (c.yaml:5) is not carried over";
  const std::string flag =
      "optimizer: adamw takes its own amsgrad false; adam's amsgrad true (c.yaml:5) is not carried "
      "over";
  const Result dry = folder.run({"c.yaml", "optimizer=adamw", "--dry-run"});
  CHECK_THAT(dry.out, StartsWith(note + "\n" + flag + "\n"));
  CHECK_THAT(
      folder.run({"show", "c.yaml", "optimizer=sgd"}).err,
      StartsWith("warning: optimizer: sgd takes its own lr 0.001; adam's lr 0.005 (c.yaml:5) "
                 "is not carried over\nwarning: optimizer: sgd has no amsgrad; adam's "
                 "amsgrad true (c.yaml:5) is not carried over\n"));
  // Nothing gives way where the value is the same, or is given anew.
  CHECK_THAT(folder
                 .run({"c.yaml", "optimizer=adamw", "optimizer.lr=0.005", "optimizer.amsgrad=true",
                       "--dry-run"})
                 .out,
             !Contains("not carried over"));
  // A type that nobody wrote is the default all the same.
  write_plain(folder / "d.yaml", std::string(kSweptConfig) + "optimizer: {lr: 0.005}\n");
  CHECK_THAT(
      folder.run({"d.yaml", "optimizer=adamw", "--dry-run"}).out,
      StartsWith("optimizer: adamw takes its own lr 0.001; adam's lr 0.005 (d.yaml:5) is not "
                 "carried over\n"));
}

TEST_CASE("a sweep names the options that go with a type") {
  const SweptFolder folder;
  write_plain(folder / "c.yaml",
              std::string(kSweptConfig) + "optimizer: {type: adam, lr: 0.005}\n");
  const Result result =
      folder.run({"sweep", "c.yaml", "optimizer=adam,adamw", "--dry-run", "--json"});
  CHECK(result.err ==
        "warning: optimizer: adamw takes its own lr 0.001; adam's lr 0.005 (c.yaml:5) is not "
        "carried over\n");
  const Json plan = Json::parse(result.out);
  CHECK(plan.at("cells")[0].at("cell") ==
        "optimizer=adam (lr 0.005, weight_decay 0, exclude_bias_and_norm false)");
  CHECK(plan.at("cells")[1].at("cell") ==
        "optimizer=adamw (lr 0.001, weight_decay 0.01, exclude_bias_and_norm true)");
}

TEST_CASE("a sweep repeats over folds, alone and together with the seed") {
  const SweptFolder folder;
  const auto seeds_of = [&](const std::string& trial) {
    const Node config = read_yaml(folder.trial(trial) / "config.yaml");
    return config.at_path("seed")->scalar + " " + config.at_path("dataset.split_seed")->scalar;
  };
  REQUIRE(folder
              .sweep({"training.max_steps=1", "seed=1..2", "model.n_heads=1,2",
                      "sweep.replicate=[seed, dataset.split_seed]"})
              .code == 0);
  CHECK(seeds_of("0001-n_heads-1-seed-1") == "1 1");
  CHECK(seeds_of("0002-n_heads-1-seed-2") == "2 2");
  const Json both = Json::parse(folder.run({"compare", "sweep", "--json"}).out);
  CHECK(both.at("replicate") == Json({"seed", "dataset.split_seed"}));
  CHECK(both.at("keys") == Json({"model.n_heads"}));

  REQUIRE(folder
              .run({"sweep", "small.yaml", "--run-dir", "folds", "training.max_steps=1",
                    "seed=0..1", "sweep.replicate=[dataset.split_seed]"})
              .code == 0);
  const Json folds = Json::parse(folder.run({"compare", "folds", "--json"}).out);
  REQUIRE(folds.at("groups").size() == 1);
  CHECK(folds.at("groups")[0].at("runs").size() == 2);
  CHECK(folder.refused({"sweep", "small.yaml", "seed=0..1", "dataset.validation=0",
                        "sweep.metric=train/loss", "sweep.replicate=[dataset.split_seed]"}) ==
        "error: small.yaml: dataset.split_seed has no effect: there is no validation split "
        "(dataset.validation)\n      remove it\n");
  CHECK(folder.refused({"sweep", "small.yaml", "seed=0..1", "sweep.replicate=[dataset.spilt_seed]"},
                       2) != "");
}

TEST_CASE("what a resume changes is kept and parts the run from others") {
  const SweptFolder folder;
  REQUIRE(folder.run({"small.yaml", "--run-dir", "runs/a", "--stop-after", "4"}).code == 75);
  const Result result = folder.run({"resume", "runs/a", "optimizer.lr=0.01"});
  CHECK(result.err ==
        "warning: optimizer.lr is 0.01 from step 4 on, was 0.001: this run's results are no longer "
        "exact\n");
  CHECK(json_of(folder / "runs/a/metrics.json").at("changes") ==
        Json::array({{{"step", 4},
                      {"key", "optimizer.lr"},
                      {"from", 0.001},
                      {"to", 0.01},
                      {"exact", false}}}));
  CHECK_THAT(folder.run({"status", "runs/a"}).out,
             Contains("\nruns/a: not exact: optimizer.lr 0.001 -> 0.01 at step 4\n"));
  REQUIRE(folder.run({"small.yaml", "--run-dir", "runs/b", "optimizer.lr=0.01", "seed=1"}).code ==
          0);
  const Json apart = Json::parse(folder.run({"compare", "runs", "--json"}).out);
  CHECK(apart.at("groups").size() == 2);
  const Json pooled =
      Json::parse(folder.run({"compare", "runs", "--json", "--ignore", "changes"}).out);
  CHECK(pooled.at("groups").size() == 1);

  // One that is taken further is what it would have been from the start.
  REQUIRE(folder.run({"small.yaml", "--run-dir", "more/a"}).code == 0);
  const Result further = folder.run({"resume", "more/a", "training.epochs=4"});
  CHECK(further.err == "");
  CHECK_THAT(further.out, Contains("training.epochs is 4 from step 30 on, was 3\n"));
  CHECK(json_of(folder / "more/a/metrics.json").at("exact") == true);
  REQUIRE(folder.run({"small.yaml", "--run-dir", "more/b", "training.epochs=4", "seed=1"}).code ==
          0);
  const Json more = Json::parse(folder.run({"compare", "more", "--json"}).out);
  CHECK(more.at("groups").size() == 1);
}

TEST_CASE("a report's commands make the changes again at their steps") {
  const SweptFolder folder;
  REQUIRE(folder.run({"small.yaml", "--run-dir", "run", "--stop-after", "4"}).code == 75);
  REQUIRE(folder.run({"resume", "run", "optimizer.lr=0.01", "--stop-after", "6"}).code == 75);
  REQUIRE(folder.run({"resume", "run", "optimizer.lr=0.1", "training.epochs=4"}).code == 0);
  REQUIRE(folder.run({"report", "run", "-o", "page.html"}).code == 0);
  CHECK_THAT(
      bytes_of(folder / "page.html"),
      Contains("<pre>runner config.yaml optimizer.lr=0.001 training.epochs=3 --run-dir again "
               "--stop-after 4\nrunner resume again optimizer.lr=0.01 --stop-after 6\n"
               "runner resume again optimizer.lr=0.1 training.epochs=4</pre>"));
  fs::copy(folder / "run/config.yaml", folder / "config.yaml");
  REQUIRE(folder
              .run({"config.yaml", "optimizer.lr=0.001", "training.epochs=3", "--run-dir", "again",
                    "--stop-after", "4"})
              .code == 75);
  REQUIRE(folder.run({"resume", "again", "optimizer.lr=0.01", "--stop-after", "6"}).code == 75);
  REQUIRE(folder.run({"resume", "again", "optimizer.lr=0.1", "training.epochs=4"}).code == 0);
  CHECK(bytes_of(folder / "again/test.json") == bytes_of(folder / "run/test.json"));
}

}  // namespace
}  // namespace vitrine

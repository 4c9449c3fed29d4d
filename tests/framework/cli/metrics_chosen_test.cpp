#include "tests/framework/cli/resumed_run.h"
#include "tests/framework/cli/support.h"

// What is counted, and what chooses.
namespace vitrine {
namespace {

const std::string kMetrics =
    "training.metrics=[f1, accuracy, {type: top_k, k: 3}, auroc, expected_calibration_error]";

// Without what another computer, or another minute, makes different.
Json values_of(const std::filesystem::path& run) {
  Json out = json_of(run / "metrics.json");
  for (Json& row : out["history"]) {
    row.erase("seconds");
    row.erase("images_per_second");
  }
  return {out["history"], out["test"], out["best_by"], out["checkpoints"]["best"]};
}

TEST_CASE("rows, test and words tell the metrics that are listed, in their order") {
  const Desk desk;
  const Result result = desk.run({"a.yaml", "--run-dir", "run", kMetrics});
  REQUIRE(result.code == 0);
  const Json metrics = json_of(desk / "run/metrics.json");
  for (const std::string split : {"train", "validation", "test"}) {
    const Json& row = split == "test" ? metrics["test"] : metrics["history"][0];
    for (const char* name :
         {"loss", "f1", "accuracy", "top_3", "auroc", "expected_calibration_error"}) {
      INFO(split << " " << name);
      CHECK(row.at(split + "/" + name).is_number());
    }
  }
  CHECK(metrics["metrics"]["test/top_3"] == Json{{"goal", "max"}, {"unit", "fraction"}});
  CHECK(metrics["metrics"]["test/expected_calibration_error"]["goal"] == "min");
  CHECK(metrics["best_by"] == "validation/f1");
  const std::string percent = R"( [0-9.]+ %)";
  CHECK_THAT(result.out, Matches("[^]*\ntest: loss [0-9.]+, f1" + percent + ", accuracy" + percent +
                                 ", top_3" + percent + ", auroc" + percent +
                                 ", expected_calibration_error" + percent + "\n[^]*"));
}

TEST_CASE("every metric is exact in a run that was stopped and resumed") {
  const Desk desk;
  const std::vector<std::string> base = {"a.yaml", "training.epochs=2", "training.log_every=2",
                                         kMetrics};
  const auto start = [&](std::vector<std::string> more) {
    std::vector<std::string> all = base;
    all.insert(all.end(), more.begin(), more.end());
    return desk.run(all).code;
  };
  REQUIRE(start({"--run-dir", "whole"}) == 0);
  for (const char* step : {"1", "2", "4"}) {
    const std::string run = std::string("stopped_") + step;
    REQUIRE(start({"--run-dir", run, "--stop-after", step}) == 75);
    REQUIRE(desk.run({"resume", run}).code == 0);
    CHECK(values_of(desk / run) == values_of(desk / "whole"));
  }
}

TEST_CASE("a metric that the images do not tell is no mistake") {
  const Desk desk;
  const Result result =
      desk.run({"a.yaml", "--run-dir", "run", "training.metrics=[auroc]", "dataset.limit_test=1"});
  REQUIRE(result.code == 0);
  CHECK_THAT(result.out, Contains(", auroc -\nrun: run\n"));
  const Json test = json_of(desk / "run/metrics.json")["test"];
  CHECK(test.at("test/loss").is_number());
  CHECK(test.at("test/auroc").is_null());
  const Result again = desk.run({"test", "run"});
  CHECK(again.code == 0);
  CHECK_THAT(again.out, Contains(", auroc -\n"));
}

TEST_CASE("a run goes on although validation does not tell what chooses") {
  const Desk desk;
  const std::string stopping = "training.early_stopping={metric: validation/auroc, patience: 5}";
  REQUIRE(desk.run({"a.yaml", "--run-dir", "run", "training.metrics=[auroc]", stopping,
                    "dataset.validation=1", "training.epochs=3", "--stop-after", "6"})
              .code == 75);
  const Result result = desk.run({"resume", "run"});
  CHECK(result.err == "");
  CHECK(result.code == 0);
  CHECK_THAT(desk.run({"status", "run"}).out, Contains(" -  "));
  CHECK(desk.run({"report", "run", "-o", "page.html"}).code == 0);
  CHECK(desk.run({"plot", "curves", "run"}).out == "wrote run/plots/curves-validation-loss.png\n");
  CHECK(desk.error(ExitCode::kUsage, {"plot", "curves", "run", "--metric", "validation/auroc"}) ==
        "error: --metric: no run has \"validation/auroc\" in its history (did you mean "
        "train/auroc?); "
        "there are images_per_second, learning_rate, seconds, train/auroc, train/grad_norm, "
        "train/loss, validation/loss\n");
  // The last one is tested.
  CHECK(json_of(desk / "run/metrics.json")["test"]["checkpoint"] ==
        json_of(desk / "run/metrics.json")["checkpoints"]["last"]);
}

TEST_CASE("the best checkpoint is chosen by what is asked for") {
  const Desk desk;
  for (const std::string name : {"validation/loss", "validation/expected_calibration_error"}) {
    const std::string run = name.substr(name.find('/') + 1);
    REQUIRE(desk.run({"a.yaml", "--run-dir", run, kMetrics, "training.epochs=6",
                      "optimizer.lr=0.05", "training.best_by=" + name})
                .code == 0);
    const Json metrics = json_of(desk / run / "metrics.json");
    CHECK(metrics["best_by"] == name);
    const Json* best = nullptr;
    for (const Json& row : metrics["history"]) {
      if (!best || row.at(name) < best->at(name)) best = &row;
    }
    CHECK(metrics["test"]["checkpoint"] == checkpoint_name(best->at("step")));
    CHECK(metrics["checkpoints"]["best"] == checkpoint_name(best->at("step")));
  }
}

TEST_CASE("early stopping goes by any metric of validation, in its own direction") {
  const Desk desk;
  const Result result = desk.run(
      {"a.yaml", "--run-dir", "run", kMetrics, "training.epochs=9", "optimizer.lr=0",
       "training.early_stopping={metric: validation/expected_calibration_error, patience: 2}"});
  CHECK(result.code == 0);
  CHECK_THAT(result.out,
             Contains("early stopping after epoch 3 of 9: validation/expected_calibration_error "
                      "has not improved for 2 epochs, since epoch 1 ("));
}

TEST_CASE("a schedule that goes by validation is exact in a run that was stopped and resumed") {
  const Desk desk;
  const std::string plateau = "schedule={type: plateau, patience: 0, threshold: 0.5, drop: 0.5}";
  const auto start = [&](const std::string& run, std::vector<std::string> more) {
    more.insert(more.begin(), {"a.yaml", "--run-dir", run, plateau, "training.epochs=4"});
    return desk.run(more).code;
  };
  REQUIRE(start("whole", {}) == 0);
  const Json history = json_of(desk / "whole/metrics.json")["history"];
  CHECK(history[1]["learning_rate"] == 0.001);
  CHECK(history[2]["learning_rate"] == 0.0005);
  CHECK(history[3]["learning_rate"] == 0.00025);
  for (const char* step : {"5", "6", "8"}) {
    const std::string run = std::string("stopped_") + step;
    REQUIRE(start(run, {"--stop-after", step}) == 75);
    REQUIRE(desk.run({"resume", run}).code == 0);
    CHECK(values_of(desk / run) == values_of(desk / "whole"));
  }
  CHECK(desk.error(ExitCode::kUsage, {"a.yaml", "schedule=plateau", "dataset.validation=0"}) ==
        "error: command line:1:10: schedule: plateau goes by the loss of validation, and there is "
        "no validation split (dataset.validation)\n"
        "    1 | schedule=plateau\n"
        "      |          ^\n");
}

TEST_CASE("what is chosen by must be counted, and metrics be told once") {
  const Desk desk;
  CHECK(desk.refused("training.metrics=[f1, f1]") ==
        "error: command line:1:18: training: metrics: f1 stands there twice\n"
        "    1 | training.metrics=[f1, f1]\n"
        "      |                  ^\n");
  CHECK(desk.refused("training.best_by=validation/f1") ==
        "error: command line:1:18: training: best_by: expected one of validation/accuracy, "
        "validation/loss, got validation/f1; training.metrics says what is counted\n"
        "    1 | training.best_by=validation/f1\n"
        "      |                  ^\n");
  CHECK(desk.refused("training.early_stopping={metric: validation/acuracy}") ==
        "error: command line:1:34: training.early_stopping: metric: expected one of "
        "validation/accuracy, validation/loss, got validation/acuracy; training.metrics says what "
        "is counted\n"
        "    1 | training.early_stopping={metric: validation/acuracy}\n"
        "      |                                  ^\n");
  CHECK(desk.refused("training.metrics=[{type: top_k, k: 10}]") ==
        "error: command line:1:36: training.metrics.0: one of the 10 likeliest of 10 classes is "
        "always right\n"
        "    1 | training.metrics=[{type: top_k, k: 10}]\n"
        "      |                                    ^\n");
  CHECK(desk.error(ExitCode::kUsage,
                   {"a.yaml", "dataset.validation=0", "training.best_by=validation/loss"}) ==
        "error: command line:1:10: training.best_by has no effect: there is no validation split "
        "(dataset.validation)\n"
        "    1 | training.best_by=validation/loss\n"
        "      |          ^ remove it\n");
  REQUIRE(desk.run({"a.yaml", "--run-dir", "run", "--stop-after", "1"}).code == 75);
  CHECK(desk.error(ExitCode::kCheckpoint, {"resume", "run", "training.metrics=[f1]"}) ==
        "error: run/config.yaml: training.metrics cannot change in a run under way; start a new "
        "run for it\n");
}

}  // namespace
}  // namespace vitrine

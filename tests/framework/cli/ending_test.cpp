#include "tests/framework/cli/support.h"

// Why runs ended, and what is said where one is to go on that has nothing left.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

// No epoch improves by half of all images, so that two epochs after the first end it.
constexpr const char* kStopping =
    "training.early_stopping={metric: validation/accuracy, patience: 2, min_delta: 0.5}";

Json reason_of(const fs::path& run) { return json_of(run / "metrics.json").at("stopped_by"); }

TEST_CASE("Early stopping is told by terminal, log, status and metrics.json") {
  const Desk desk;
  const Result result = desk.run({"a.yaml", kStopping, "training.epochs=20", "--run-dir", "run"});
  CHECK(result.code == 0);
  const std::string line =
      "early stopping after epoch 3 of 20: validation/accuracy has not improved by more than 0.5 "
      "for 2 epochs, since epoch 1 (";
  CHECK_THAT(result.out, Contains("\n" + line));
  CHECK_THAT(bytes_of(desk / "run/log.txt"), Contains("Z " + line));
  CHECK(reason_of(desk / "run") == "early_stopping");
  CHECK_THAT(desk.run({"status", "run"}).out,
             Contains("\nrun  finished (early stopping)  3/20      9  "));
  const Json status = Json::parse(desk.run({"status", "run", "--json"}).out);
  CHECK(status[0].at("status") == "finished");
  CHECK(status[0].at("stopped_by") == "early_stopping");
  CHECK_THAT(desk.run({"compare", "run", "--columns", "stopped_by"}).out,
             Contains("early_stopping"));
}

TEST_CASE("A run that early stopping ended says that nothing is left, and what to change") {
  const Desk desk;
  REQUIRE(desk.run({"a.yaml", kStopping, "training.epochs=20", "--run-dir", "run"}).code == 0);
  const std::string before = bytes_of(desk / "run/metrics.json");
  const auto nothing = [](const std::string& epochs) {
    return "run is finished: early stopping ended it after epoch 3, and nothing is left of its " +
           epochs +
           " epochs; training.early_stopping=null or a larger training.early_stopping.patience "
           "(now 2) takes it further";
  };
  CHECK(desk.run({"resume", "run"}).out == nothing("20") + "\nrun: run\n");
  const Result longer = desk.run({"resume", "run", "training.epochs=40"});
  CHECK(longer.code == 0);
  CHECK(longer.err == "warning: " + nothing("40") + "; without effect: training.epochs\n");
  CHECK(desk.run({"resume", "run", "training.epochs=40", "optimizer.lr=0.1", "--json"}).err ==
        "warning: " + nothing("40") + "; without effect: optimizer.lr, training.epochs\n");
  CHECK(bytes_of(desk / "run/metrics.json") == before);

  const auto resume = [&](const std::vector<std::string>& changes) {
    std::vector<std::string> arguments = {"resume", "run"};
    arguments.insert(arguments.end(), changes.begin(), changes.end());
    const Result result = desk.run(arguments);
    CHECK(result.err == "");  // as a run that had these values from the start
    return result.out;
  };
  CHECK_THAT(resume({"training.early_stopping.patience=3"}),
             Contains("\nearly stopping after epoch 4 of 20: "));
  CHECK_THAT(resume({"training.early_stopping=null", "training.epochs=5"}),
             Contains("\nepoch 5 of 5: "));
  CHECK(reason_of(desk / "run") == "epochs");
  CHECK(json_of(desk / "run/metrics.json").at("exact") == true);
  REQUIRE(desk.run({"a.yaml", "training.epochs=5", "--run-dir", "whole"}).code == 0);
  CHECK(bytes_of(desk / "run/model.safetensors") == bytes_of(desk / "whole/model.safetensors"));
}

TEST_CASE("A patience that would have ended the run before is marked") {
  const Desk desk;
  REQUIRE(
      desk.run({"a.yaml", kStopping, "training.epochs=20", "--stop-after", "7", "--run-dir", "run"})
          .code == 75);
  CHECK(desk.run({"resume", "run", "training.early_stopping.patience=1"}).err ==
        "warning: training.early_stopping.patience is 1 from step 7 on, was 2: this run's results "
        "are no longer exact\n");
}

TEST_CASE("What early stopping counted of another metric does not count") {
  const Desk desk;
  REQUIRE(desk.run({"a.yaml", kStopping, "training.epochs=20", "--run-dir", "run"}).code == 0);
  // Of -loss, which is below every accuracy, nothing would ever be better.
  const Result result = desk.run({"resume", "run", "training.early_stopping.metric=validation/loss",
                                  "training.early_stopping.min_delta=0", "training.epochs=6"});
  CHECK_THAT(result.out, Contains("\nepoch 6 of 6: "));
  CHECK(reason_of(desk / "run") == "epochs");
}

TEST_CASE("metrics.json tells why each run ended") {
  const Desk desk;
  REQUIRE(desk.run({"a.yaml", "--run-dir", "run", "--stop-after", "1"}).code == 75);
  CHECK(reason_of(desk / "run") == "stop_after");
  CHECK_THAT(desk.run({"status", "run"}).out, Contains("\nrun  stopped (--stop-after)  0/1  "));
  REQUIRE(desk.run({"resume", "run", "training.max_steps=2"}).code == 0);
  CHECK(reason_of(desk / "run") == "max_steps");
  CHECK_THAT(desk.run({"status", "run"}).out, Contains("\nrun  finished (max_steps)  1/1  "));
  CHECK(desk.run({"resume", "run", "training.epochs=2"}).err ==
        "warning: run is finished; training.max_steps=N (now 2) takes it further; without effect: "
        "training.epochs\n");
  REQUIRE(desk.run({"resume", "run", "training.max_steps=null"}).code == 0);
  CHECK(reason_of(desk / "run") == "epochs");
  CHECK(desk.run({"resume", "run", "training.max_steps=9"}).err ==
        "warning: run is finished; training.epochs=N takes it further; without effect: "
        "training.max_steps\n");
  // What is no part of training is taken up without a step.
  REQUIRE(desk.run({"resume", "run", "note=good"}).err == "");
  CHECK(json_of(desk / "run/metrics.json").at("note") == "good");
}

TEST_CASE("A run that a signal stopped says so, and one under way has no end yet") {
  const Desk desk;
  Process process(runner_command({"a.yaml", "training.epochs=1000000", "--run-dir", "run"}),
                  desk / "", {});
  CHECK(signal_during(process, desk / "run", SIGKILL).code == 137);
  CHECK(reason_of(desk / "run") == nullptr);
  Process again(runner_command({"resume", "run"}), desk / "", {});
  const int64_t newest = checkpoint_steps(desk / "run/checkpoints").back();
  CHECK(signal_during(again, desk / "run", SIGTERM, newest + 1).code == 143);
  CHECK(reason_of(desk / "run") == "signal");
}

}  // namespace
}  // namespace vitrine

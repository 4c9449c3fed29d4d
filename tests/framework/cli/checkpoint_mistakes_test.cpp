#include "framework/runs/checkpoint.h"
#include "tests/framework/cli/support.h"

// Checkpoints that cannot be gone on from.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

TEST_CASE("A damaged checkpoint is passed over for the one before it") {
  const Desk desk;
  const Result first = desk.run({"a.yaml", "--run-dir", "run", "training.checkpoint.every=1 steps",
                                 "training.checkpoint.keep=3", "--stop-after", "2"});
  REQUIRE(first.code == 75);
  fs::resize_file(desk / "run/checkpoints/step-00000002.safetensors", 3000);
  const Result result = desk.run({"resume", "run"});
  CHECK(result.code == 0);
  CHECK(result.err ==
        "warning: the checkpoint run/checkpoints/step-00000002.safetensors is unusable: the "
        "SHA-256 of its 3000 bytes is not the recorded one: it was cut, changed or damaged\n");
  CHECK_THAT(result.out, StartsWith("going on from step-00000001 (step 1 of 3)\n"));
}

TEST_CASE("Without any sound checkpoint a run is not resumed") {
  const Desk desk;
  REQUIRE(desk.run({"a.yaml", "--run-dir", "run", "--stop-after", "2"}).code == 75);
  fs::resize_file(desk / "run/checkpoints/step-00000002.safetensors", 3000);
  CHECK(desk.error(ExitCode::kCheckpoint, {"resume", "run"}) ==
        "error: no checkpoint in run/checkpoints is usable:\n"
        "  the checkpoint run/checkpoints/step-00000002.safetensors is unusable: the SHA-256 of "
        "its 3000 bytes is not the recorded one: it was cut, changed or damaged\n");
}

// A run of 3 steps that was stopped at step 2, with a checkpoint of each step.
class StoppedRun : public Desk {
 public:
  StoppedRun() {
    REQUIRE(run({"a.yaml", "--run-dir", "run", "training.checkpoint={every: 1 step, keep: 3}",
                 "training.log_every=1", "--stop-after", "2"})
                .code == 75);
  }
  fs::path checkpoints() const { return *this / "run/checkpoints"; }

  // Sets a value in the state of a step's checkpoint, whose SHA-256 is made anew.
  void set(int64_t step, const std::string& place, const nlohmann::json& value) const {
    Checkpoint checkpoint = load_checkpoint(checkpoint_file(checkpoints(), step));
    checkpoint.state[nlohmann::json::json_pointer(place)] = value;
    save_checkpoint(checkpoints(), checkpoint, step);
  }
};

TEST_CASE("A checkpoint whose state cannot be is passed over for the one before it") {
  struct Case {
    std::string place;
    nlohmann::json value;
    std::string words;
  };
  const Case cases[] = {
      {"/run/step", -3, "state.run.step: expected an integer of at least 0, got -3"},
      {"/run/step", 1, "its state is that of step 1"},
      {"/run/step", 1e300, "state.run.step: expected an integer of at least 0, got 1e+300"},
      {"/run/step_in_epoch", -1,
       "state.run.step_in_epoch: expected an integer of at least 0, got -1"},
      {"/run/step_in_epoch", 3,
       "its state is of epoch 0 and step 3 in it, which is not step 2 at 3 steps an epoch"},
      {"/run/epoch", 9223372036854775807,
       "its state is of epoch 9223372036854775807 and step 2 in it, which is not step 2 at 3 steps "
       "an epoch"},
      {"/run/total/values",
       {1, "two", 3, 4},
       "state.run.total.values: expected a number, got \"two\""},
      {"/run/total/values", {1}, "its state holds sums of another epoch"},
      {"/run/total/images", 0, "its state holds sums of another epoch"},
      {"/run/total", 7, "state.run.total: expected an object, got 7"},
      {"/run/exact", 1, "state.run.exact: is not true or false"},
      {"/run/seconds", "long", "state.run.seconds: expected a number, got \"long\""},
      {"/run/best",
       {{"value", 1}, {"loss", 1}, {"step", 7}},
       "its state has a best step that is to come"},
      {"/rows_length", -1, "state.rows_length: expected an integer of at least 0, got -1"},
      {"/rows_sha256", 1, "state.rows_sha256: expected a string, got 1"},
      {"/identity", {}, "state.identity: expected an object, got null"},
      {"/identity/started", 3, "state.identity.started: expected a string, got 3"},
      {"/config", {1, 2}, "state.config: is no mapping"},
      {"/dataset_sha256", nullptr, "state.dataset_sha256: expected a string, got null"},
      {"/environment", "x86", "state.environment: is no list of named values"},
      {"/environment/threads", {{"a", 1}}, "state.environment: is no list of named values"},
      {"", 5, "state: expected an object, got 5"}};
  const StoppedRun desk;
  const std::string kept = bytes_of(checkpoint_file(desk.checkpoints(), 2));
  for (const Case& c : cases) {
    CAPTURE(c.place, c.value.dump());
    write_plain(checkpoint_file(desk.checkpoints(), 2), kept);
    desk.set(2, c.place, c.value);
    // A dry run of nothing: what is resumed is stopped at once, before the bad file is replaced.
    const Result result = desk.run({"resume", "run", "--stop-after", "1"});
    CHECK(result.code == 2);
    CHECK_THAT(result.err,
               StartsWith("warning: the checkpoint run/checkpoints/step-00000002.safetensors is "
                          "unusable: "));
    CHECK_THAT(result.err, Contains(c.words));
    CHECK_THAT(result.err, EndsWith("error: run: --stop-after 1 lies behind: the run is at step 1 "
                                    "already\n"));
  }
  const Result result = desk.run({"resume", "run"});
  CHECK(result.code == 0);
  CHECK_THAT(result.out, StartsWith("going on from step-00000001 (step 1 of 3)\n"));
}

TEST_CASE("A run whose checkpoints all have a state that cannot be is not resumed") {
  const StoppedRun desk;
  desk.set(1, "/run/epoch", "one");
  desk.set(2, "/rows_length", -1);
  CHECK(desk.error(ExitCode::kCheckpoint, {"resume", "run"}) ==
        "error: no checkpoint in run/checkpoints is usable:\n"
        "  the checkpoint run/checkpoints/step-00000002.safetensors is unusable: "
        "state.rows_length: expected an integer of at least 0, got -1\n"
        "  the checkpoint run/checkpoints/step-00000001.safetensors is unusable: "
        "state.run.epoch: expected an integer of at least 0, got \"one\"\n");
}

TEST_CASE("A generator that is none makes a checkpoint unusable") {
  const StoppedRun desk;
  Checkpoint checkpoint = load_checkpoint(checkpoint_file(desk.checkpoints(), 2));
  for (OwnedTensor& tensor : checkpoint.tensors) {
    if (tensor.name == "rng/cpu") tensor.bytes.assign(tensor.bytes.size(), '\xff');
  }
  save_checkpoint(desk.checkpoints(), checkpoint, 2);
  const Result result = desk.run({"resume", "run"});
  CHECK(result.code == 0);
  CHECK(result.err ==
        "warning: the checkpoint run/checkpoints/step-00000002.safetensors is unusable: what it "
        "holds is no state of the generator\n");
}

TEST_CASE("A newest checkpoint that is gone is missed") {
  const StoppedRun desk;
  fs::remove(checkpoint_file(desk.checkpoints(), 2));
  const Result result = desk.run({"resume", "run"});
  CHECK(result.code == 0);
  CHECK(result.err ==
        "warning: the checkpoint run/checkpoints/step-00000002.safetensors, the last that "
        "metrics.json names, is gone\n");
  CHECK_THAT(result.out, StartsWith("going on from step-00000001 (step 1 of 3)\n"));
  CHECK(json_of(desk / "run/metrics.json").at("exact") == true);
}

TEST_CASE("A best checkpoint that is gone is missed when the run goes on, not at its end") {
  const Desk desk;
  desk.train("run");
  // An epoch with an absurd rate is worse than the first.
  REQUIRE(desk.run({"resume", "run", "training.epochs=2", "optimizer.lr=10"}).code == 0);
  REQUIRE(json_of(desk / "run/metrics.json").at("checkpoints").at("best") == "step-00000003");
  fs::remove(checkpoint_file(desk / "run/checkpoints", 3));
  const Result result = desk.run({"resume", "run", "training.epochs=3"});
  CHECK(result.code == 0);
  CHECK(result.err ==
        "warning: cannot read run/checkpoints/step-00000003.safetensors: No such file or "
        "directory; the best is chosen among the epochs from here on: the run's results are no "
        "longer exact\n");
  const Json metrics = json_of(desk / "run/metrics.json");
  CHECK(metrics.at("checkpoints").at("best") == "step-00000009");
  CHECK(metrics.at("exact") == false);
}

TEST_CASE(
    "A run with a metrics.json that cannot be read is not tested, and mended when it is resumed") {
  const Desk desk;
  desk.train("run");
  desk.train("other");
  const std::string before = bytes_of(desk / "run/metrics.json");
  for (const auto& [bytes, words] : std::vector<std::pair<std::string, std::string>>{
           {"garbage", "invalid JSON at byte 1: unexpected \"garbage\""},
           {"{}", "\"format\" is missing"}}) {
    desk.write("run/metrics.json", bytes);
    const std::string message = "run/metrics.json: " + words;
    CHECK_THAT(desk.error(ExitCode::kCheckpoint, {"test", "run"}),
               StartsWith("error: the run's metrics are unusable: run/metrics.json: "));
    CHECK(bytes_of(desk / "run/metrics.json") == bytes);
    const Result status = desk.run({"status", "."});
    CHECK(status.code == 0);
    CHECK(status.err == "");
    CHECK_THAT(status.out, Contains("\nother  finished    1/1       3  "));
    CHECK_THAT(status.out, Contains("\nrun    unreadable  "));
    CHECK_THAT(status.out, Contains(message + "\n"));
    const Result result = desk.run({"resume", "run"});
    CHECK(result.code == 0);
    CHECK(result.err == "warning: the run's metrics are unusable: " + message +
                            "; they are made anew from checkpoints and metrics.jsonl\n");
    const Json mended = json_of(desk / "run/metrics.json"), was = Json::parse(before);
    for (const char* part : {"started", "run", "exact", "history", "test", "config"})
      CHECK(mended.at(part) == was.at(part));
  }
  CHECK(bytes_of(desk / "run/metrics.json.damaged") == "garbage");
  CHECK(bytes_of(desk / "run/metrics.json.damaged-2") == "{}");
  // Its config may be anybody's.
  Json odd = Json::parse(before);
  odd["config"] = {{"training", {1, 2}}};
  desk.write("run/metrics.json", odd.dump());
  CHECK(desk.run({"status", "."}).code == 0);
}

TEST_CASE("The best of a run that was killed in its first epoch is its newest checkpoint") {
  const StoppedRun desk;
  Json metrics = json_of(desk / "run/metrics.json");
  metrics["checkpoints"] = {{"last", nullptr}, {"best", nullptr}};
  desk.write("run/metrics.json", metrics.dump());
  const Result result = desk.run({"test", "run", "--json"});
  CHECK(result.err == "");
  CHECK(Json::parse(result.out).at("checkpoint") == "step-00000002");
}

TEST_CASE("A finished run that is taken further has no result until it ends again") {
  const Desk desk;
  desk.train("run");
  REQUIRE(json_of(desk / "run/metrics.json").at("test").contains("test/accuracy"));
  REQUIRE(desk.run({"resume", "run", "training.epochs=3", "--stop-after", "4"}).code == 75);
  const Json metrics = json_of(desk / "run/metrics.json");
  CHECK(metrics.at("test") == Json::object());
  CHECK(metrics.at("summary") == Json::object());
  const Json row = Json::parse(desk.run({"status", "run", "--json"}).out).at(0);
  CHECK(row.at("status") == "stopped");
  CHECK(row.at("test/accuracy") == nullptr);
  REQUIRE(desk.run({"resume", "run"}).code == 0);
  CHECK(json_of(desk / "run/metrics.json").at("test").at("checkpoint") ==
        json_of(desk / "run/test.json").at("checkpoint"));
}

}  // namespace
}  // namespace vitrine

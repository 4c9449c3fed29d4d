#include "framework/training/callbacks.h"

#include <ATen/ops/randn_like.h>
#include <ATen/ops/zeros_like.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "framework/engine/engine.h"
#include "framework/model/model.h"
#include "framework/registry/register.h"
#include "framework/runs/checkpoint.h"
#include "framework/runs/run_directory.h"
#include "tests/component.h"
#include "tests/framework/training/tried_run.h"

// A callback of one's own: when it is called, with what, and that what it keeps is exact.
namespace vitrine {
namespace {

std::vector<std::string> calls;

struct Options {
  double share = 0.5;
  int64_t last = 0;
  bool fails = false;

  void visit(Fields& field) {
    field("share", share, "of the trail in the weights");
    field("last", last, "step after which training ends, if not 0");
    field("fails", fails, "at the first step");
  }
};

// Drives the weights by a trail of noise, the more the longer it goes: any number that is not
// restored shows.
class Trail : public Callback {
 public:
  Trail(const Options& options, const CallbackContext&) : options_(options) {}

  void prepare(FlatParameters& parameters) override {
    trail_ = at::zeros_like(parameters.values());
  }
  void started(const RunView& run) override { note("started", run); }
  void resumed(const RunView& run) override { note("resumed", run); }
  void step(const RunView& run) override {
    if (options_.fails) throw Error(ExitCode::kFailed, "the trail is lost");
    note("step", run);
    ++count_;
    const Tensor drawn = at::randn_like(trail_) * 1e-3 * static_cast<double>(count_);
    for (auto& [name, noise] : run.parameters.by_name(drawn))
      run.parameters.by_name(trail_).at(name).mul_(0.9).add_(noise);
    run.parameters.values().add_(trail_, options_.share);
  }
  void epoch(const RunView& run) override { note("epoch", run); }
  void finished(const RunView& run) override { note("finished", run); }
  std::string reason_to_end(const RunView& run) const override {
    return options_.last > 0 && run.step >= options_.last ? "the trail ends" : "";
  }

  void state(State& state) override {
    state("trail", trail_);
    state("count", count_);
  }

 private:
  static void note(const std::string& hook, const RunView& run) {
    calls.push_back(fmt::format("{} {} {} {} {}", hook, run.step, run.epoch, run.row_step,
                                run.values.contains("train/loss")));
  }

  Options options_;
  Tensor trail_;
  int64_t count_ = 0;
};

VITRINE_REGISTER(Callback, Trail, Options, "for a test")

// Hears what is said.
class Listener : public Quiet {
 public:
  void message(const std::string& text) override { said += text + "\n"; }
  void warning(const std::string& text) override { said += "warning: " + text + "\n"; }
  std::string said;
};

struct Outcome {
  ExitCode code;
  std::string said;
};

// Two epochs of 4 steps, in `folder`/NAME.
struct Desk {
  Outcome start(const std::string& name, std::vector<std::string> overrides,
                std::optional<int64_t> stop_after = {}) const {
    write_plain(
        folder / "c.yaml",
        "name: c\nthreads: 1\n"
        "dataset: {type: digits, train: 60, test: 20, validation: 20}\n"
        "model: {type: vit, n_patches: 4, n_blocks: 1, hidden_d: 4, n_heads: 1}\n"
        "callbacks: [callbacks_test, {type: callbacks_test, share: 0.25}]\n"
        "training: {epochs: 2, batch_size: 10, log_every: 4, checkpoint: {every: 1 steps}}\n");
    TrainRequest request;
    request.config = engine().resolve({folder / "c.yaml", std::move(overrides), {}});
    request.stop_after = stop_after;
    return perform(name, std::move(request));
  }
  Outcome resume(const std::string& name, std::optional<int64_t> stop_after = {},
                 std::vector<std::string> overrides = {}) const {
    TrainRequest request;
    request.config = engine().resolve_resumed(folder / name, {{}, std::move(overrides), {}});
    request.resume = true;
    request.stop_after = stop_after;
    return perform(name, std::move(request));
  }
  Outcome perform(const std::string& name, TrainRequest request) const {
    request.run_dir = folder / name;
    Listener listener;
    calls.clear();
    const ExitCode code = engine().train(request, listener).code;
    return {code, listener.said};
  }

  TemporaryFolder folder;
};

constexpr const char* kOne = "callbacks=[callbacks_test]";

TEST_CASE("a callback is called at the start, at each step and epoch, and at the end") {
  const Desk desk;
  REQUIRE(desk.start("run", {kOne, "training.epochs=1"}).code == ExitCode::kDone);
  // Of each the step, the epochs that are done, the step of the last row, and whether it has one.
  CHECK(calls == std::vector<std::string>{"started 0 0 0 false", "step 1 0 0 false",
                                          "step 2 0 0 false", "step 3 0 0 false", "step 4 0 4 true",
                                          "epoch 4 1 4 true", "finished 4 1 4 false"});
  REQUIRE(desk.start("parts", {kOne}, 3).code == ExitCode::kStopped);
  REQUIRE(desk.resume("parts", 5).code == ExitCode::kStopped);
  CHECK(calls == std::vector<std::string>{"resumed 3 0 0 false", "step 4 0 4 true",
                                          "epoch 4 1 4 true", "step 5 1 4 false"});
}

TEST_CASE("what callbacks keep is exact, wherever a run is stopped") {
  const Desk desk;
  REQUIRE(desk.start("whole", {}).code == ExitCode::kDone);
  REQUIRE(desk.start("parts", {}, 1).code == ExitCode::kStopped);
  for (int64_t step = 2; step <= 8; ++step) desk.resume("parts", step);
  CHECK(result_of(desk.folder / "parts") == result_of(desk.folder / "whole"));
  const auto last = [&](const std::string& run) {
    std::map<std::string, std::string> out;
    for (const OwnedTensor& tensor :
         load_checkpoint(checkpoint_file(desk.folder / run / "checkpoints", 8)).tensors)
      out[tensor.name] = tensor.bytes;
    return out;
  };
  const auto whole = last("whole");
  CHECK(whole.contains("state/callbacks.0/trail"));
  CHECK(whole.contains("state/callbacks.1/trail"));
  CHECK(last("parts") == whole);
}

TEST_CASE("a callback ends training with its reason, within an epoch as well") {
  const Desk desk;
  const Outcome outcome = desk.start("run", {"callbacks=[{type: callbacks_test, last: 6}]"});
  CHECK(outcome.code == ExitCode::kDone);
  CHECK_THAT(outcome.said, Contains("\nthe trail ends\n"));
  const Metrics metrics = Metrics::read(desk.folder / "run/metrics.json");
  CHECK(metrics.stopped_by == "callback");
  CHECK(metrics.history.back().at("step") == 6);
  CHECK(metrics.last_checkpoint == "step-00000006");
  // With the limit further away it goes on to the bits of one that had none.
  CHECK(desk.resume("run", {}, {"callbacks.0.last=0"}).code == ExitCode::kDone);
  REQUIRE(desk.start("whole", {kOne}).code == ExitCode::kDone);
  CHECK(result_of(desk.folder / "run").model == result_of(desk.folder / "whole").model);
}

TEST_CASE("an error of a callback ends the run") {
  const Desk desk;
  CHECK_THROWS_WITH(desk.start("run", {"callbacks=[{type: callbacks_test, fails: true}]"}),
                    "the trail is lost");
  CHECK(Metrics::read(desk.folder / "run/metrics.json").status == RunStatus::kFailed);
}

TEST_CASE("a state that a callback cannot take is refused") {
  const Desk desk;
  REQUIRE(desk.start("run", {kOne}, 3).code == ExitCode::kStopped);
  const auto file = checkpoint_file(desk.folder / "run/checkpoints", 3);
  Checkpoint checkpoint = load_checkpoint(file);
  nlohmann::json& kept = checkpoint.state["states"]["callbacks.0"];
  CHECK(kept == nlohmann::json{{"type", "callbacks_test"},
                               {"keeps", {{"count", 3}, {"trail", {{"tensor", "cpu"}}}}}});
  kept["keeps"]["count"] = 0.5;
  save_checkpoint(desk.folder / "run/checkpoints", checkpoint, 3);
  // It is passed over for the one before it.
  CHECK_THAT(desk.resume("run").said,
             Contains("is unusable: it holds no state of callbacks.0: count: expected an integer, "
                      "got 0.5\n"));
}

TEST_CASE("a checkpoint without callbacks says nothing of them") {
  const Desk desk;
  REQUIRE(desk.start("run", {"callbacks=[]"}, 3).code == ExitCode::kStopped);
  const Checkpoint checkpoint =
      load_checkpoint(checkpoint_file(desk.folder / "run/checkpoints", 3));
  CHECK(checkpoint.state["states"] == nlohmann::json::object());
  for (const OwnedTensor& tensor : checkpoint.tensors)
    CHECK_FALSE(tensor.name.starts_with("state/"));
}

}  // namespace
}  // namespace vitrine

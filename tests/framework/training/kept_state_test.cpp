#include <ATen/core/grad_mode.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <random>

#include "framework/engine/engine.h"
#include "framework/files/sealed.h"
#include "framework/model/model.h"
#include "framework/registry/register.h"
#include "framework/runs/checkpoint.h"
#include "framework/training/experiment.h"
#include "framework/training/optimizer.h"
#include "framework/training/schedule.h"
#include "framework/training/setup.h"
#include "framework/training/state.h"
#include "models/parts.h"
#include "tests/component.h"
#include "tests/framework/training/tried_run.h"

// Components that keep something of their own from step to step: whatever it is and however deep
// they stand in one another, a run that is stopped goes on to the same bits.
namespace vitrine {
namespace {

namespace heavy {

struct Options : OptimizerOptions {
  Options() : OptimizerOptions(0.01, WeightDecay::kL2) {}
};

// Momentum that is a member, a count, and a slot that is made in the first step.
class Heavy : public Optimizer {
 public:
  Heavy(const Options& options, const OptimizerContext& context)
      : Optimizer(options, context), momentum_(at::zeros_like(context.parameters.values())) {}

  void state(State& state) override {
    state("momentum", momentum_);
    state("count", count_);
    state("lazy", lazy_);
  }

 protected:
  void update(const Group& group, double learning_rate) override {
    if (squares_.empty()) squares_ = add_slot("squares");
    if (!lazy_.defined()) lazy_ = at::zeros_like(momentum_);
    ++count_;
    momentum_.mul_(0.9).add_(group.gradients[0]);
    lazy_.mul_(0.5).add_(momentum_);
    squares_[group.index][0].mul_(0.9).addcmul_(group.gradients[0], group.gradients[0], 0.1);
    const Tensor scaled = (momentum_ + lazy_) / (squares_[group.index][0].sqrt() + 1);
    Tensor(group.values[0]).sub_(scaled, learning_rate / (1 + 0.01 * count_));
  }

 private:
  Tensor momentum_, lazy_;
  Views squares_;
  double count_ = 0;
};

VITRINE_REGISTER(Optimizer, Heavy, Options, "for a test")

}  // namespace heavy

namespace warm {

// Its temperature follows the mean of its values.
class Warm : public Loss {
 public:
  Warm(const LossOptions&, const LossContext&) {}
  Value forward(const Value& output, const Value& target, const Task&) override {
    const Tensor logits = output.tensor().flatten(1) / temperature_;
    const Tensor classes = target.tensor().flatten(1).to(at::kLong);
    const Tensor losses = at::log_softmax(logits, 1).gather(1, classes).neg();
    if (losses.requires_grad())
      temperature_ = 0.9 * temperature_ + 0.1 * (1 + losses.mean().item<double>());
    return losses.unsqueeze(1);
  }
  void state(State& state) override { state("temperature", temperature_); }

 private:
  double temperature_ = 1;
};

VITRINE_REGISTER(Loss, Warm, LossOptions, "for a test")

}  // namespace warm

namespace moody {

int64_t evaluated = 0;  // forward passes in evaluation mode

struct Options {
  bool draws = true;

  void visit(Fields& field) { field("draws", draws, "whether it draws in evaluation as well"); }
};

// Takes off a running mean, and draws from an engine of its own. What it counts before it computes
// would differ if a trial left a trace.
class Moody : public Mlp {
 public:
  Moody(const Options& options, const PartContext& context)
      : draws_(options.draws),
        layer_(add("layer", std::make_shared<Linear>(context.hidden_d, context.hidden_d))),
        mean_(at::zeros({context.hidden_d})) {}

  void state(State& state) override {
    state("mean", mean_);
    state("engine", engine_);
    state("calls", calls_);
  }

 protected:
  Value forward(const Value& x) override {
    ++calls_;
    Tensor y = (*layer_)(x).tensor();
    if (!is_training()) ++evaluated;
    if (is_training()) {
      y = y * std::uniform_real_distribution<>(0.9, 1.1)(engine_);
      mean_ = 0.9 * mean_ + 0.1 * y.detach().flatten(0, -2).mean(0);
    } else if (draws_) {
      y = y + 1e-3 * at::rand({1}).item<double>();
    }
    return y - mean_ * (1 + 1e-4 * static_cast<double>(calls_));
  }

 private:
  bool draws_;
  std::shared_ptr<Linear> layer_;
  Tensor mean_;
  std::mt19937 engine_{0};
  int64_t calls_ = 0;
};

VITRINE_REGISTER(Mlp, Moody, Options, "for a test")

}  // namespace moody

namespace wavering {

class Wavering : public Schedule {
 public:
  Wavering(const ScheduleOptions& options, const ScheduleContext& context)
      : Schedule(options, context) {}
  bool depends_on_total() const override { return false; }
  bool follows_validation() const override { return true; }
  void note_validation(double loss) override { losses_.push_back(loss); }
  void state(State& state) override { state("losses", losses_); }

 protected:
  double after_warmup(int64_t, int64_t) const override {
    double out = 1;
    for (const double loss : losses_) out /= 1 + loss;
    return out;
  }

 private:
  std::vector<double> losses_;
};

VITRINE_REGISTER(Schedule, Wavering, ScheduleOptions, "for a test")

}  // namespace wavering

namespace tiring {

// Of every call of training a little darker.
class Tiring : public Transform {
 public:
  Tiring(const NoOptions&, const TransformContext&) {}
  bool is_random() const override { return true; }
  Tensor forward(const Tensor& images, const BatchPosition&) override {
    return images * (1 - 0.01 * static_cast<double>(++calls_));
  }
  void state(State& state) override { state("calls", calls_); }

 private:
  int64_t calls_ = 0;
};

VITRINE_REGISTER(Transform, Tiring, NoOptions, "for a test")

}  // namespace tiring

// A kind of one's own, which another component holds.
class Gate : public Stateful {
 public:
  static constexpr const char* kKind = "gate";
  using Context = int;
  virtual double next() = 0;
};

namespace closing {

class Closing : public Gate {
 public:
  Closing(const NoOptions&, const int&) {}
  double next() override { return open_ *= 0.9; }
  void state(State& state) override { state("open", open_); }

 private:
  double open_ = 1;
};

VITRINE_REGISTER(Gate, Closing, NoOptions, "for a test")

}  // namespace closing

namespace gated {

struct Options {
  Choice<Gate> gate{"kept_state_test"};

  void visit(Fields& field) { field("gate", gate, "how much of the gradients is added"); }
};

class Gated : public Callback {
 public:
  Gated(const Options& options, const CallbackContext&) : gate_(options.gate.create(0)) {}
  void step(const RunView& run) override {
    run.parameters.values().sub_(run.parameters.gradients(), 0.01 * gate_->next());
  }

 private:
  std::shared_ptr<Gate> gate_;
};

VITRINE_REGISTER(Callback, Gated, Options, "for a test")

}  // namespace gated

// Two epochs of 4 steps, in `folder`/NAME.
struct Desk {
  Desk() {
    write_plain(folder / "c.yaml",
                "name: c\n"
                "threads: 1\n"
                "dataset: {type: digits, train: 60, test: 20, validation: 20}\n"
                "model: {type: vit, n_patches: 4, n_blocks: 2, hidden_d: 4, n_heads: 1}\n"
                "training: {epochs: 2, batch_size: 10, log_every: 2}\n");
  }
  std::shared_ptr<const ResolvedConfig> resolve(std::vector<std::string> overrides) const {
    return engine().resolve({folder / "c.yaml", std::move(overrides), {}});
  }
  ExitCode start(const std::string& name, std::vector<std::string> overrides,
                 std::optional<int64_t> stop_after = {}) const {
    TrainRequest request;
    request.config = resolve(std::move(overrides));
    request.stop_after = stop_after;
    return perform(name, std::move(request));
  }
  ExitCode resume(const std::string& name, std::optional<int64_t> stop_after = {},
                  Quiet quiet = {}) const {
    TrainRequest request;
    request.config = engine().resolve_resumed(folder / name, {{}, {}, {}});
    request.resume = true;
    request.stop_after = stop_after;
    return perform(name, std::move(request), quiet);
  }
  ExitCode perform(const std::string& name, TrainRequest request, Quiet quiet = {}) const {
    request.run_dir = folder / name;
    return engine().train(request, quiet).code;
  }
  Checkpoint last(const std::string& run, int64_t step) const {
    return load_checkpoint(checkpoint_file(folder / run / "checkpoints", step));
  }

  TemporaryFolder folder;
};

const std::vector<std::string> kAll = {
    "optimizer=kept_state_test",
    "loss=kept_state_test",
    "model.mlp=kept_state_test",
    "schedule=kept_state_test",
    "dataset.transforms=[kept_state_test]",
    "callbacks=[kept_state_test]",
    "training.ema_decay=0.5",
};

TEST_CASE("what components keep of their own is exact, wherever a run is stopped") {
  std::vector<std::vector<std::string>> cases = {kAll};
  for (const std::string& one : kAll) cases.push_back({one});
  cases.push_back({"optimizer=kept_state_test",
                   "model.tasks=[{name: one}, {name: two, loss: kept_state_test}]"});
  for (const auto& overrides : cases) {
    CAPTURE(overrides);
    const Desk desk;
    REQUIRE(desk.start("whole", overrides) == ExitCode::kDone);
    REQUIRE(desk.start("parts", overrides, 1) == ExitCode::kStopped);
    for (int64_t step = 2; step <= 8; ++step) desk.resume("parts", step);
    const TriedResult parts = result_of(desk.folder / "parts");
    CHECK(parts == result_of(desk.folder / "whole"));
    CHECK(parts.exact);
    const auto tensors = [&](const std::string& run) {
      std::map<std::string, std::string> out;
      for (const OwnedTensor& tensor : desk.last(run, 8).tensors) out[tensor.name] = tensor.bytes;
      return out;
    };
    CHECK(tensors("parts") == tensors("whole"));
    CHECK(desk.last("parts", 8).state["states"] == desk.last("whole", 8).state["states"]);
  }
}

// Stops a run within its first validation: its model was evaluated once before, to be described.
struct Stopping : Quiet {
  ExitCode stop_requested() override {
    return moody::evaluated >= 4 ? ExitCode::kInterrupted : ExitCode::kDone;
  }
};

TEST_CASE("a validation that is broken off leaves no trace") {
  const Desk desk;
  const std::vector<std::string> own = {"model.mlp=kept_state_test"};
  REQUIRE(desk.start("whole", own) == ExitCode::kDone);
  TrainRequest request;
  request.config = desk.resolve(own);
  request.run_dir = desk.folder / "parts";
  moody::evaluated = 0;
  Stopping stopping;
  REQUIRE(engine().train(request, stopping).code == ExitCode::kInterrupted);
  REQUIRE(Metrics::read(desk.folder / "parts/metrics.json").history.empty());
  REQUIRE(desk.resume("parts") == ExitCode::kDone);
  CHECK(result_of(desk.folder / "parts") == result_of(desk.folder / "whole"));
}

TEST_CASE("a checkpoint names what keeps a state as the model and the config do") {
  const Desk desk;
  REQUIRE(desk.start("run", kAll, 3) == ExitCode::kStopped);
  const Checkpoint checkpoint = desk.last("run", 3);
  std::vector<std::string> names;
  for (const auto& [name, state] : checkpoint.state["states"].items()) names.push_back(name);
  CHECK(names == std::vector<std::string>{"callbacks.0.gate", "dataset.transforms.0", "loss",
                                          "model.blocks.0.mlp", "model.blocks.1.mlp", "optimizer",
                                          "schedule"});
  CHECK(kept_by(checkpoint, "optimizer")["count"] == 3);
  CHECK(kept_by(checkpoint, "nobody").is_null());
  const auto has = [&](const std::string& name) {
    return std::any_of(checkpoint.tensors.begin(), checkpoint.tensors.end(),
                       [&](const OwnedTensor& tensor) { return tensor.name == name; });
  };
  CHECK(has("state/optimizer/momentum"));
  CHECK(has("state/model.blocks.1.mlp/engine"));
  CHECK(has("optimizer/blocks.0.mlp.layer.weight/squares"));
}

TEST_CASE("a learner is captured and restored without a run") {
  const Desk desk;
  const auto config = desk.resolve({"optimizer=kept_state_test", "model.mlp=kept_state_test"});
  Quiet quiet;
  Data data = load_data(*config->config, quiet);
  RunLog log(quiet);
  const auto step = [&](Learner& learner) {
    const Batch batch = data.train->gather(at::arange(10), 0);
    learner.parameters->gradients().zero_();
    set_training(learner.modules, true);
    learner.experiment->differentiate(batch, 1, *learner.parameters);
    learner.optimizer->step(0.01);
  };
  Learner first = build_learner(*config->config, data.info),
          second = build_learner(*config->config, data.info);
  Callbacks of_first(first.callbacks, {}, log), of_second(second.callbacks, {}, log);
  for (int i = 0; i < 3; ++i) step(first);
  Checkpoint kept;
  capture_learner(first, of_first, kept);
  for (int i = 0; i < 2; ++i) step(first);
  CHECK(restore_learner(kept, second, of_second, "memory").empty());
  for (int i = 0; i < 2; ++i) step(second);
  CHECK(at::equal(first.parameters->values(), second.parameters->values()));
}

TEST_CASE("what parts and losses keep is tested as it was trained, and stays with the model") {
  const Desk desk;
  const std::vector<std::string> own = {"model.mlp={type: kept_state_test, draws: false}",
                                        "loss=kept_state_test", "training.ema_decay=0.5"};
  REQUIRE(desk.start("run", own) == ExitCode::kDone);
  const Metrics metrics = Metrics::read(desk.folder / "run/metrics.json");
  Quiet quiet;
  const auto of_run = engine().resolve_tested({desk.folder / "run/config.yaml", {}, {}},
                                              WeightsSource{desk.folder / "run", ""});
  const auto tested = engine().test(of_run, WeightsSource{desk.folder / "run", ""}, quiet);
  CHECK(tested.at("test/loss") == metrics.test.at("test/loss"));
  // The file of the model has what its parts keep; a loss is no part of it.
  engine().export_weights({desk.folder / "run", ""}, desk.folder / "x.safetensors", "native");
  const auto test = [&](const std::string& weights) {
    const std::vector<std::string> overrides = {
        own[0], "model.weights=" + (desk.folder / weights).string()};
    return engine().test(
        engine().resolve_tested({desk.folder / "c.yaml", overrides, {}}, std::nullopt),
        std::nullopt, quiet);
  };
  const auto of_file = test("run"), of_export = test("x.safetensors");
  CHECK(of_file.at("test/accuracy") == metrics.test.at("test/accuracy"));
  CHECK(of_file.at("test/loss") == of_export.at("test/loss"));
  CHECK_THROWS_WITH(
      engine().export_weights({desk.folder / "run", ""}, desk.folder / "y", "huggingface"),
      Contains("the layout \"huggingface\" has no equal of this model: "));
}

TEST_CASE("a model's file that lacks what its parts keep is refused") {
  const Desk desk;
  REQUIRE(desk.start("run", {"model.mlp=kept_state_test"}) == ExitCode::kDone);
  const std::filesystem::path file = desk.folder / "run/model.safetensors";
  const Safetensors model = Safetensors::load(file, 1 << 24);
  std::map<std::string, std::string> metadata = model.metadata();
  nlohmann::json states = nlohmann::json::parse(metadata.at("states"));
  states["model.blocks.0.mlp"]["keeps"].erase("mean");
  metadata["states"] = states.dump();
  write_plain(file, write_sealed_safetensors(model.tensors(), metadata));
  CHECK_THROWS_WITH(
      engine().export_weights({desk.folder / "run", ""}, desk.folder / "x", "native"),
      Contains("model.safetensors: what model.blocks.0.mlp keeps is not what the file holds: "
               "mean"));
}

// Hears what is said.
struct Listener : Quiet {
  void warning(const std::string& text) override { said += text + "\n"; }
  std::string said;
};

std::string resumed_with(const Desk& desk, const std::function<void(Checkpoint&)>& change) {
  Checkpoint checkpoint = desk.last("run", 3);
  change(checkpoint);
  save_checkpoint(desk.folder / "run/checkpoints", checkpoint, 3);
  TrainRequest request;
  request.config = engine().resolve_resumed(desk.folder / "run", {{}, {}, {}});
  request.resume = true;
  request.run_dir = desk.folder / "run";
  Listener listener;
  engine().train(request, listener);
  return listener.said;
}

TEST_CASE("a state that is of other code begins anew, and the run is no longer exact") {
  const Desk desk;
  REQUIRE(desk.start("run", {"optimizer=kept_state_test"}, 3) == ExitCode::kStopped);
  const std::string said = resumed_with(desk, [](Checkpoint& checkpoint) {
    nlohmann::json& keeps = checkpoint.state["states"]["optimizer"]["keeps"];
    keeps.erase("count");
    keeps["velocity"] = 2;
  });
  CHECK(said ==
        "what optimizer keeps: count is not in the checkpoint and begins anew; nobody takes what "
        "the checkpoint has as velocity: this run's results are no longer exact\n");
  const Metrics metrics = Metrics::read(desk.folder / "run/metrics.json");
  CHECK_FALSE(metrics.exact);
  REQUIRE(metrics.changes.size() == 1);
  CHECK(metrics.changes[0].key == "environment.state.optimizer");
  CHECK(metrics.changes[0].step == 3);
}

TEST_CASE("a slot that the checkpoint lacks begins anew, and the run is no longer exact") {
  const Desk desk;
  REQUIRE(desk.start("run", {"optimizer=adam"}, 3) == ExitCode::kStopped);
  const std::string said = resumed_with(desk, [](Checkpoint& checkpoint) {
    std::erase_if(checkpoint.tensors, [](const OwnedTensor& tensor) {
      return tensor.name == "optimizer/head.bias/exp_avg";
    });
  });
  CHECK(said ==
        "what optimizer keeps: head.bias/exp_avg is not in the checkpoint and begins anew: this "
        "run's results are no longer exact\n");
}

TEST_CASE("what is no state of a component makes a checkpoint unusable") {
  const Desk desk;
  REQUIRE(desk.start("run", {"optimizer=kept_state_test"}, 3) == ExitCode::kStopped);
  CHECK_THROWS_WITH(resumed_with(desk,
                                 [](Checkpoint& checkpoint) {
                                   checkpoint.state["states"]["optimizer"]["keeps"]["count"] = "x";
                                 }),
                    Contains("is unusable: it holds no state of optimizer: count: expected a "
                             "number, got \"x\""));
}

TEST_CASE("a part that changes what it keeps as it is recorded is executed by layers, in words") {
  const Desk desk;
  const auto config = desk.resolve({"model.mlp=kept_state_test"});
  CHECK(config->execution[1].value == "layers");
  CHECK_THAT(config->execution[1].why, Contains("kept_state_test computes with libtorch itself"));
}

}  // namespace
}  // namespace vitrine

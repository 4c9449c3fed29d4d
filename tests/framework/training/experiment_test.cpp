#include "framework/training/experiment.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>

#include "framework/engine/engine.h"
#include "framework/registry/register.h"
#include "framework/runs/checkpoint.h"
#include "framework/training/backend.h"
#include "tests/component.h"
#include "tests/framework/training/tried_run.h"

// An experiment of one's own: what it trains, keeps and depends on.
namespace vitrine {
namespace {

std::string outside = "a";  // what it depends on besides config and data

struct Options : ExperimentOptions {
  Options() { predicts = false; }
};

// The features of images are to be a target that follows them slowly, and faster with each step.
class Following : public Experiment {
 public:
  Following(const Options&, const ExperimentContext& context)
      : model_(context.model), own_(std::make_shared<torch::nn::Module>()) {
    shift_ = own_->register_parameter("shift", at::rand({1, 4}));
    target_ = own_->register_buffer("target", at::rand({1, 4}));
    Computation computation;
    computation.modules = {{"", model_}, {"experiment.own.", own_}};
    computation.images = context.image_sizes();
    computation.outputs = [this](const Value& images) {
      return std::vector{model_->features(images) + table(shift_)};
    };
    computation.losses = [](const std::vector<Value>& outputs) {
      return std::vector{mean_over_columns(square(outputs[0] - input(0, 4)))};
    };
    computation.weights = {1};
    backend_.emplace(computation, context.backend, context.device);
  }

  bool has_own_threads() const override { return backend_->has_own_threads(); }
  const Computation& computation() const override { return backend_->computation(); }
  Modules modules() const override { return {{"own", own_}}; }
  void state(State& state) override { state("steps", steps_); }
  std::map<std::string, std::string> contents() const override {
    return {{"outside", sha256_hex(outside)}};
  }
  int64_t width() const override { return 1; }
  const std::vector<Measure>& measures() const override { return measures_; }

  Tensor differentiate(const Batch& batch, double share, FlatParameters& parameters) override {
    const auto outcome = backend_->differentiate(feed_of(batch), share, parameters);
    sum_ = outcome.outputs[0].mean(0, true);
    return outcome.losses[0].sum(at::kDouble).view({1});
  }
  void after_step(int64_t step) override {
    REQUIRE(step == steps_);
    const at::NoGradGuard no_grad;
    target_.mul_(0.5).add_(sum_, 0.1 * static_cast<double>(++steps_));
  }
  Evaluation evaluate(const Batches& data, const EvaluationOptions& options) override {
    const at::NoGradGuard no_grad;
    const InEvaluation in_evaluation(backend_->computation().modules);
    double sum = 0;
    for_batches(data, options, [&](const Batch& batch) {
      sum += backend_->evaluate(feed_of(batch)).losses[0].sum(at::kDouble).item<double>();
    });
    Evaluation out;
    out.values = values_of(measures_, options.split, &sum, data.size());
    return out;
  }

 private:
  TorchFeed feed_of(const Batch& batch) const {
    return {batch.images, {target_.expand({batch.size(), 4})}, batch.position};
  }

  std::shared_ptr<Model> model_;
  std::shared_ptr<torch::nn::Module> own_;
  Tensor shift_, target_, sum_;
  std::optional<Backend> backend_;
  int64_t steps_ = 0;
  std::vector<Measure> measures_ = {
      {"loss",
       "",
       {"min", ""},
       [](const double* sums, double images) { return sums[0] / images; },
       true}};
};

VITRINE_REGISTER(Experiment, Following, Options, "for a test")

// Two epochs of 4 steps, in `folder`/NAME.
struct Desk {
  ExitCode start(const std::string& name, std::optional<int64_t> stop_after = {}) const {
    write_plain(folder / "c.yaml",
                "name: c\n"
                "experiment: experiment_test\n"
                "dataset: {type: digits, train: 60, test: 20, validation: 20}\n"
                "model: {type: vit, n_patches: 4, n_blocks: 1, hidden_d: 4, n_heads: 1}\n"
                "optimizer: {type: adamw, weight_decay: 0.1}\n"
                "training: {epochs: 2, batch_size: 10, ema_decay: 0.9}\n");
    TrainRequest request;
    request.config = engine().resolve({folder / "c.yaml", {}, {}});
    request.stop_after = stop_after;
    return perform(name, std::move(request));
  }
  ExitCode resume(const std::string& name, std::optional<int64_t> stop_after = {}) const {
    TrainRequest request;
    request.config = engine().resolve_resumed(folder / name, {{}, {}, {}});
    request.resume = true;
    request.stop_after = stop_after;
    return perform(name, std::move(request));
  }
  ExitCode perform(const std::string& name, TrainRequest request) const {
    request.run_dir = folder / name;
    Quiet quiet;
    return engine().train(request, quiet).code;
  }
  std::map<std::string, std::string> tensors(const std::string& run, int64_t step) const {
    std::map<std::string, std::string> out;
    const auto file = checkpoint_file(folder / run / "checkpoints", step);
    for (const OwnedTensor& tensor : load_checkpoint(file).tensors) out[tensor.name] = tensor.bytes;
    return out;
  }

  TemporaryFolder folder;
};

TEST_CASE("what an experiment trains and keeps is exact, wherever a run is stopped") {
  const Desk desk;
  REQUIRE(desk.start("whole") == ExitCode::kDone);
  REQUIRE(desk.start("parts", 1) == ExitCode::kStopped);
  for (int64_t step = 2; step <= 8; ++step) desk.resume("parts", step);
  CHECK(result_of(desk.folder / "parts") == result_of(desk.folder / "whole"));
  const auto whole = desk.tensors("whole", 8);
  CHECK(desk.tensors("parts", 8) == whole);
  for (const char* name : {"model/experiment.own.shift", "model/experiment.own.target",
                           "ema/experiment.own.shift", "optimizer/experiment.own.shift/exp_avg"}) {
    CAPTURE(name);
    CHECK(whole.contains(name));
  }
  // The model's file has the model alone.
  const auto file = Safetensors::load(desk.folder / "whole/model.safetensors", 1 << 20);
  for (const TensorView& tensor : file.tensors())
    CHECK_FALSE(tensor.name.starts_with("experiment."));
}

TEST_CASE("a run does not go on where what its experiment depends on has changed") {
  const Desk desk;
  outside = "a";
  REQUIRE(desk.start("run", 3) == ExitCode::kStopped);
  outside = "b";
  const std::string before = sha256_hex("a").substr(0, 12), now = sha256_hex("b").substr(0, 12);
  CHECK_THROWS_WITH(desk.resume("run"),
                    Contains("outside is not what this run began with (SHA-256 " + now + ", was " +
                             before + "); start a new run for it"));
  outside = "a";
  CHECK(desk.resume("run") == ExitCode::kDone);
}

TEST_CASE("a state that an experiment cannot take is refused") {
  const Desk desk;
  REQUIRE(desk.start("run", 3) == ExitCode::kStopped);
  const auto file = checkpoint_file(desk.folder / "run/checkpoints", 3);
  Checkpoint checkpoint = load_checkpoint(file);
  nlohmann::json& kept = checkpoint.state["states"]["experiment"];
  CHECK(kept == nlohmann::json{{"type", "experiment_test"}, {"keeps", {{"steps", 3}}}});
  kept["keeps"]["steps"] = "three";
  save_checkpoint(desk.folder / "run/checkpoints", checkpoint, 3);
  CHECK_THROWS_WITH(desk.resume("run"),
                    Contains("it holds no state of experiment: steps: expected an integer"));
}

}  // namespace
}  // namespace vitrine

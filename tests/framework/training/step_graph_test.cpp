#include "framework/training/step_graph.h"

#include "framework/registry/plugin.h"
#include "framework/training/loader.h"
#include "framework/training/mix.h"
#include "tests/framework/files/support.h"
#include "tests/framework/training/quiet.h"

// How steps are repeated as a graph, with one that keeps the work and does it again: where CUDA's
// is there it is made by device_graph.h.
namespace vitrine {
namespace {

class StandIn : public DeviceGraph {
 public:
  void record(const std::function<void()>& work) override { work_ = work; }
  void repeat() override { work_(); }

 private:
  std::function<void()> work_;
};

// One that a device refuses.
class Refused : public DeviceGraph {
 public:
  void record(const std::function<void()>& /*work*/) override {
    throw Error(ExitCode::kUsage, "this device records nothing");
  }
  void repeat() override {}
};

MakeDeviceGraph stand_in() {
  return [] { return std::make_unique<StandIn>(); };
}

class Listening : public Quiet {
 public:
  void message(const std::string& text) override { heard += text + "\n"; }
  std::string heard;
};

// What came of training.
struct Trained {
  Tensor weights;
  std::vector<double> sums;
  int64_t repeated = 0;
  std::string heard;

  bool operator==(const Trained& other) const {
    return at::equal(weights, other.weights) && sums == other.sums;
  }
};

using Between = std::function<void(Learner&, int64_t step)>;

// Three epochs of 5 batches of 16 images and one of 4, each step at another learning rate.
Trained trained(const std::vector<std::string>& overrides, MakeDeviceGraph make,
                const Between& before_step = {}) {
  const TemporaryFolder folder;
  write_plain(folder / "c.yaml",
              "name: c\n"
              "backend: layers\n"
              "threads: 1\n"
              "dataset: {type: digits, train: 84, test: 20}\n"
              "model: {type: vit, n_patches: 4, n_blocks: 2, hidden_d: 8, n_heads: 2}\n"
              "training: {epochs: 3, batch_size: 16, clip_norm: 1}\n");
  const auto resolved = engine().resolve({folder / "c.yaml", overrides, {}});
  const Config& config = *resolved->config;
  Listening listening;
  const Data data = load_data(config, listening);
  Learner learner = build_learner(config, data.info, &listening);
  DataLoader loader(*data.train, config.training, config.experiment_options().views);
  const Mixer mixer(config.training.mix, 0);
  Meter meter(learner.experiment->width(), at::kCPU);
  set_training(learner.modules, true);
  listening.heard.clear();
  StepGraph steps(learner, config.training.clip_norm, std::move(make), &listening);
  int64_t step = 0;
  for (int64_t epoch = 0; epoch < 3; ++epoch) {
    loader.draw_order();
    for (int64_t i = 0; i < loader.steps_per_epoch(); ++i, ++step) {
      std::vector<Batch> batches = loader.batches(epoch, i);
      for (Batch& batch : batches) mixer.mix(batch, i);
      if (before_step) before_step(learner, step);
      meter.add_step(steps.step(batches, 0.001 * static_cast<double>(step + 1), meter));
    }
  }
  std::vector<double> sums = meter.sums().values;
  sums.push_back(meter.sums().gradient_norms);
  return {learner.parameters->values().clone(), sums, steps.repeated(), listening.heard};
}

constexpr const char* kRepeats = "steps are repeated as a graph\n";

TEST_CASE("repeated steps train as plain ones do, to the bit") {
  const std::vector<std::vector<std::string>> cases = {
      {},
      {"optimizer={type: adamw, amsgrad: true, layer_decay: 0.5}"},
      {"optimizer={type: sgd, momentum: 0.9, dampening: 0.1, weight_decay: 0.1}"},
      {"optimizer=lamb"},
      {"optimizer={type: lion, weight_decay: 0.1}"},
      {"optimizer={type: rmsprop, momentum: 0.9, centered: true}"},
      {"training.precision=bfloat16"},
      {"training.mix=[mixup]"},
      {"model={type: vit, n_patches: 7, n_blocks: 1, hidden_d: 8, n_heads: 2, embedding: "
       "conv_stem}"}};
  for (const auto& overrides : cases) {
    INFO((overrides.empty() ? "as it is" : overrides[0]));
    const Trained plain = trained(overrides, {}), repeated = trained(overrides, stand_in());
    CHECK(plain == repeated);
    CHECK(plain.repeated == 0);
    CHECK(plain.heard == "");
    // Three of 15 whole batches run plainly, and so do those of 4 images.
    CHECK(repeated.repeated == 12);
    CHECK(repeated.heard == kRepeats);
  }
}

TEST_CASE("a step of several batches is one graph") {
  const std::vector<std::string> two = {"training.accumulate=2"};
  const Trained repeated = trained(two, stand_in());
  CHECK(repeated == trained(two, {}));
  // Of the 3 steps of an epoch the last has 16 + 4 images.
  CHECK(repeated.repeated == 3);
}

TEST_CASE("batches that are mixed and those that are not have a graph each") {
  const std::vector<std::string> some = {"training.mix=[{type: mixup, prob: 0.5}]"};
  const Trained repeated = trained(some, stand_in());
  CHECK(repeated == trained(some, {}));
  CHECK(repeated.repeated == 9);
  CHECK(repeated.heard == kRepeats);
}

TEST_CASE("where other parameters are trained the graph is recorded anew") {
  const Between freeze = [](Learner& learner, int64_t step) {
    if (step == 8) Tensor(learner.parameters->slices()[0].parameter).set_requires_grad(false);
  };
  const Trained repeated = trained({}, stand_in(), freeze);
  CHECK(repeated == trained({}, {}, freeze));
  CHECK(repeated.repeated == 9);
}

TEST_CASE("what waits for the device is not repeated") {
  const std::vector<std::string> ignores = {"loss={type: cross_entropy, ignore_index: 3}"};
  const Trained out = trained(ignores, stand_in());
  CHECK(out == trained(ignores, {}));
  CHECK(out.repeated == 0);
  CHECK(out.heard ==
        "steps are not repeated as a graph: a step waits for the device: aten::nonzero\n");
}

TEST_CASE("a plug-in's component in a step is not repeated, a part of a recorded model is") {
  load_plugin(VITRINE_BINARY_DIR "/test_plugin_squared.so");
  load_plugin(VITRINE_BINARY_DIR "/test_plugin_forgetful.so");
  const Trained part = trained({"model.mlp=squared"}, stand_in());
  CHECK(part.heard == kRepeats);
  CHECK(part.repeated == 12);
  const Trained out = trained({"optimizer=forgetful"}, stand_in());
  CHECK(out.repeated == 0);
  CHECK(out.heard ==
        "steps are not repeated as a graph: the optimizer forgetful is of a plug-in, which may "
        "look at what changes from step to step\n");
}

TEST_CASE("where nothing can be recorded training goes on plainly") {
  const Trained out = trained({}, [] { return std::make_unique<Refused>(); });
  CHECK(out == trained({}, {}));
  CHECK(out.repeated == 0);
  CHECK(out.heard == "steps are not repeated as a graph: this device records nothing\n");
}

TEST_CASE("a CPU has no graphs") { CHECK_FALSE(graphs_of(at::kCPU)); }

}  // namespace
}  // namespace vitrine

#include "framework/training/waiting.h"

#include "framework/training/config.h"
#include "framework/training/loader.h"
#include "framework/training/mix.h"
#include "framework/training/setup.h"
#include "framework/training/step_graph.h"
#include "tests/framework/files/support.h"
#include "tests/framework/training/quiet.h"

// On a GPU an operator whose result the CPU looks at waits for all that was begun before it. They
// are found by their names, on a CPU.
namespace vitrine {
namespace {

// What waits in three steps, behind a first one that may make something.
std::map<std::string, int64_t> waits_of(const std::vector<std::string>& overrides) {
  const TemporaryFolder folder;
  write_plain(
      folder / "c.yaml",
      "name: c\n"
      "backend: layers\n"
      "threads: 1\n"
      "dataset: {type: digits, train: 80, test: 20}\n"
      "model: {type: vit, n_patches: 4, n_blocks: 2, hidden_d: 8, n_heads: 2, block: {type: "
      "pre_norm, dropout: 0.1, drop_path: 0.1}}\n"
      "training: {epochs: 1, batch_size: 16, clip_norm: 1}\n");
  const auto resolved = engine().resolve({folder / "c.yaml", overrides, {}});
  const Config& config = *resolved->config;
  Quiet quiet;
  const Data data = load_data(config, quiet);
  Learner learner = build_learner(config, data.info, &quiet);
  DataLoader loader(*data.train, config.training, config.experiment_options().views);
  loader.draw_order();
  const Mixer mixer(config.training.mix, 0);
  Meter meter(learner.experiment->width(), at::kCPU);
  set_training(learner.modules, true);
  std::map<std::string, int64_t> out;
  for (int64_t step = 0; step < 4; ++step) {
    std::vector<Batch> batches = loader.batches(0, step);
    for (Batch& batch : batches) mixer.mix(batch, step);  // drawn on the CPU
    const WaitingOperators waiting;
    train_step(learner, batches, config.training.clip_norm, 0.01, meter);
    for (const auto& [name, count] : waiting.found())
      if (step > 0) out[name] += count;
  }
  return out;
}

TEST_CASE("a training step never waits for the device") {
  const std::vector<std::vector<std::string>> cases = {
      {},
      {"training.mix=[mixup]", "loss={type: cross_entropy, label_smoothing: 0.1}"},
      {"training.precision=bfloat16"},
      {"optimizer=adamw", "training.accumulate=2"},
      {"optimizer={type: sgd, momentum: 0.9, dampening: 0.1, weight_decay: 0.1}"},
      {"optimizer=lamb"},
      {"loss=focal"},
      {"optimizer={type: lion, weight_decay: 0.1}"},
      {"optimizer=rmsprop"},
      {"experiment=contrastive", "dataset.transforms=[random_shift]"},
      {"experiment=masked_autoencoder"}};
  for (const auto& overrides : cases) {
    INFO((overrides.empty() ? "as it is" : overrides[0]));
    const std::map<std::string, int64_t> found = waits_of(overrides);
    for (const auto& [name, count] : found) {
      INFO(name << ": " << count);
      CHECK(count == 0);
    }
  }
}

TEST_CASE("what waits is found") {
  const WaitingOperators waiting;
  const Tensor numbers = at::arange(3);
  CHECK(numbers.sum().item<int64_t>() == 3);
  at::empty({3}, at::TensorOptions(at::kLong).device(at::kMeta)).copy_(numbers);
  at::empty({3}, at::kLong).copy_(numbers);
  const std::map<std::string, int64_t> expected = {{"a copy from one device to another", 1},
                                                   {"aten::_local_scalar_dense", 1}};
  CHECK(waiting.found() == expected);
}

}  // namespace
}  // namespace vitrine

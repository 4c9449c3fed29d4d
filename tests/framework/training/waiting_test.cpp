#include <ATen/record_function.h>

#include <algorithm>
#include <map>

#include "framework/training/config.h"
#include "framework/training/loader.h"
#include "framework/training/loop.h"
#include "framework/training/mix.h"
#include "framework/training/setup.h"
#include "tests/framework/files/support.h"
#include "tests/framework/training/quiet.h"

// On a GPU an operator whose result the CPU looks at waits for all that was begun before it. They
// are found by their names, on a CPU.
namespace vitrine {
namespace {

std::map<std::string, int> waits;
int inside = 0;  // of fused optimizers, which on a CPU look at their counter, and on a GPU do not

struct Fused : at::ObserverContext {};

std::unique_ptr<at::ObserverContext> note(const at::RecordFunction& function) {
  const std::string name = function.name();
  if (name.starts_with("aten::_fused_")) {
    ++inside;
    return std::make_unique<Fused>();
  }
  if (inside > 0) return nullptr;
  for (const char* waiting : {"aten::_local_scalar_dense", "aten::nonzero", "aten::masked_select",
                              "aten::_unique2", "aten::equal", "aten::is_nonzero"}) {
    if (name == waiting) ++waits[name];
  }
  return nullptr;
}

void leave(const at::RecordFunction& /*function*/, at::ObserverContext* context) {
  if (dynamic_cast<Fused*>(context)) --inside;
}

at::CallbackHandle listen() {
  waits.clear();
  return at::addGlobalCallback(
      at::RecordFunctionCallback(note, leave)
          .scopes({at::RecordScope::FUNCTION, at::RecordScope::BACKWARD_FUNCTION}));
}

// What waits in three steps, behind a first one that may make something.
std::map<std::string, int> waits_of(const std::vector<std::string>& overrides) {
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
  std::map<std::string, int> out;
  for (int64_t step = 0; step < 4; ++step) {
    std::vector<Batch> batches = loader.batches(0, step);
    for (Batch& batch : batches) mixer.mix(batch, step);  // drawn on the CPU
    const at::CallbackHandle handle = listen();
    train_step(learner, batches, config.training.clip_norm, 0.01, meter);
    at::removeCallback(handle);
    for (const auto& [name, count] : waits)
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
      {"optimizer=sgd"},
      {"loss=focal"},
      {"optimizer=lion"},
      {"optimizer=rmsprop"},
      {"experiment=contrastive", "dataset.transforms=[random_shift]"},
      {"experiment=masked_autoencoder"}};
  for (const auto& overrides : cases) {
    INFO((overrides.empty() ? "as it is" : overrides[0]));
    const std::map<std::string, int> found = waits_of(overrides);
    for (const auto& [name, count] : found) {
      INFO(name << ": " << count);
      CHECK(count == 0);
    }
  }
}

TEST_CASE("what waits is found") {
  const at::CallbackHandle handle = listen();
  const Tensor numbers = at::arange(3);
  CHECK(numbers.sum().item<int64_t>() == 3);
  at::removeCallback(handle);
  CHECK(waits.at("aten::_local_scalar_dense") == 1);
}

}  // namespace
}  // namespace vitrine

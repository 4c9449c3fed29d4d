#pragma once

#include "tests/framework/cli/results.h"
#include "tests/framework/cli/support.h"

namespace vitrine {

// 148 images in batches of 16, two a step: 15 steps, the last of each epoch ragged. Dropout and
// drop_path draw from the generator at every step.
inline constexpr const char* kResumedConfig = R"(name: small
seed: 3
threads: 1
dataset: {type: digits, train: 180, test: 64, validation: 32, transforms: [random_shift]}
model:
  type: vit
  n_patches: 4
  n_blocks: 2
  hidden_d: 8
  n_heads: 2
  block: {type: pre_norm, dropout: 0.1, drop_path: 0.1}
optimizer: {type: adam, lr: 0.01}
schedule: {type: cosine, warmup: 2 steps}
training: {epochs: 3, batch_size: 16, accumulate: 2, ema_decay: 0.9, log_every: 3,
           checkpoint: {every: 2 steps, keep: 2}}
)";
inline constexpr int64_t kSteps = 15;

inline std::string status_of(const std::filesystem::path& run) {
  return Json::parse(bytes_of(run / "metrics.json")).at("status");
}

class ResumedFolder : public ConfigFolder {
 public:
  ResumedFolder() : ConfigFolder(kResumedConfig) {}

  // The same experiment, never stopped.
  std::filesystem::path whole(std::vector<std::string> overrides = {}) const {
    overrides.insert(overrides.begin(), {"small.yaml", "--run-dir", "whole"});
    const Result result = run(overrides);
    INFO(result.err);
    REQUIRE(result.code == 0);
    return *this / "whole";
  }
};

}  // namespace vitrine

#include "framework/training/workload.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randperm.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <chrono>

#include "framework/data/splits.h"
#include "framework/model/model.h"
#include "framework/model/recording.h"
#include "framework/model/without_trace.h"
#include "framework/training/backend.h"
#include "framework/training/setup.h"
#include "framework/training/step_graph.h"

namespace vitrine {

int64_t images_per_epoch(const TrainingOptions& options, int64_t train) {
  if (!options.overfit_batches) return train;
  return std::min(train, *options.overfit_batches * options.batch_size);
}

int64_t steps_per_epoch(const TrainingOptions& options, int64_t train) {
  const int64_t per_step = options.batch_size * options.accumulate;
  return (images_per_epoch(options, train) + per_step - 1) / per_step;
}

int64_t total_steps(const TrainingOptions& options, int64_t train) {
  const int64_t steps = options.epochs * steps_per_epoch(options, train);
  return std::min(steps, options.max_steps.value_or(steps));
}

Workload workload(const Config& config) {
  const DatasetInfo info = info_of(config.dataset);
  const auto model = build_model(config, info);
  Workload out;
  for (const auto& parameter : model->parameters()) out.parameters += parameter.numel();
  for (const LayerSummary& layer : layers_of(*model, {info.channels, info.height, info.width}))
    out.flops_per_image += layer.flops;
  const int64_t train = training_images(config.dataset_options(), info);
  out.images_per_epoch = images_per_epoch(config.training, train);
  out.steps_per_epoch = steps_per_epoch(config.training, train);
  out.steps = total_steps(config.training, train);
  out.validates = vitrine::validates(config.dataset_options(), info);
  return out;
}

namespace {

// `n` images of noise, prepared as those of the data set are.
Batches noise(const Config& config, const DatasetInfo& info, int64_t n) {
  Split split;
  split.images = at::randint(0, 256, {n, info.channels, info.height, info.width}, at::kByte);
  for (const LabelColumn& column : info.columns) {
    const bool has_classes = column.kind == LabelColumn::Kind::kClasses;
    split.labels.push_back(has_classes ? at::randint(0, column.size(), {n}, at::kLong)
                                       : at::randint(0, 2, {n, column.size()}, at::kFloat));
  }
  return {split, preparation_of(config, info), at::Device(config.device), 0, true};
}

}  // namespace

double time_step(const Config& config) {
  using Seconds = std::chrono::duration<double>;
  constexpr int kWarmUp = 3, kMostSteps = 20;
  constexpr Seconds kPatience(0.5);
  const DatasetInfo info = info_of(config.dataset);
  Learner learner = build_learner(config, info);
  const Batches data = noise(config, info, config.training.batch_size);
  const Tensor order = at::randperm(data.size(), at::kLong);
  set_training(learner.modules, true);
  Meter meter(told(*learner.experiment, "width", &Experiment::width),
              learner.parameters->values().device());
  const auto step = [&] {
    std::vector<Batch> batches;
    for (int64_t i = 0; i < config.training.accumulate; ++i)
      batches.push_back(data.gather(order, 0, config.experiment_options().views));
    train_step(learner, batches, config.training.clip_norm, learner.optimizer->learning_rate(),
               meter);
    learner.parameters->values()[0].item<float>();  // waits for a device that works on its own
  };
  for (int i = 0; i < kWarmUp; ++i) step();
  const auto begin = std::chrono::steady_clock::now();
  Seconds passed(0);
  int steps = 0;
  while (steps < kMostSteps && passed < kPatience) {
    step();
    ++steps;
    passed = std::chrono::steady_clock::now() - begin;
  }
  return passed.count() / steps;
}

void try_step(const Config& config) {
  constexpr int64_t kFew = 4;
  const bool is_recorded = config.backend == kFused;
  if (config.device != "cpu" || (is_recorded && config.dataset_options().transforms.empty()))
    return;
  const WithoutTrace without_trace{Modules()};
  const DatasetInfo info = info_of(config.dataset);
  const Batches data = noise(config, info, std::min(kFew, config.training.batch_size));
  const Batch batch = data.gather(at::arange(data.size()), 0, config.experiment_options().views);
  if (is_recorded) return;
  Learner learner = build_learner(config, info);
  set_training(learner.modules, true);
  Meter meter(told(*learner.experiment, "width", &Experiment::width),
              learner.parameters->values().device());
  train_step(learner, {batch}, config.training.clip_norm, learner.optimizer->learning_rate(),
             meter);
}

}  // namespace vitrine

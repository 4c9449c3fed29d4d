#include "framework/training/setup.h"

#include <ATen/Parallel.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <fmt/format.h>
#include <torch/utils.h>

#include <utility>

#include "framework/data/contents.h"
#include "framework/data/findings.h"
#include "framework/model/model.h"
#include "framework/model/tensors.h"
#include "framework/training/losses.h"
#include "framework/training/precision.h"
#include "framework/training/threads.h"
#include "framework/training/weights.h"
#include "framework/training/weights_file.h"
#include "framework/training/workload.h"

namespace vitrine {

DataContext data_context(const Config& config, Observer& observer) {
  DataContext out;
  out.uses = config.label_uses;
  out.streams = config.streams;
  out.tell = [&](const std::string& text) { observer.message(text); };
  out.download_progress = [&](uint64_t received, uint64_t total) {
    observer.download(received, total);
  };
  out.cancelled = [&] { return observer.stop_requested() != ExitCode::kDone; };
  return out;
}

bool measures_tests(const Config& config, const DatasetInfo& info) {
  return info.test_has_labels || !config.experiment_options().predicts;
}

Preparation preparation_of(const Config& config, const DatasetInfo& info) {
  return {make_transforms(config.dataset_options().transforms, info.for_transforms()),
          {info.channels, info.height, info.width},
          resize_mode(config.dataset_options().resize),
          config.dataset_options().crop_ratio,
          config.dataset_options().background.colour(),
          compute_threads()};
}

namespace {

// Throws where a stop was requested meanwhile.
std::string contents_of(const LoadedSplits& loaded, Observer& observer) {
  const int64_t all = loaded.train.size() + loaded.test.size() +
                      (loaded.validation ? loaded.validation->size() : 0);
  std::string out =
      contents_fingerprint(loaded.train, loaded.test, loaded.validation, [&](int64_t images) {
        if (const ExitCode code = observer.stop_requested(); code != ExitCode::kDone)
          throw Error(code, "stopped before all of the data was read");
        observer.reading(images, all);
      });
  observer.reading(all, all);
  return out;
}

// The same split with its images in memory, resized.
Split held(const Split& split, Preparation preparation, const DataContext& context,
           Observer& observer) {
  constexpr int64_t kAtOnce = 256;
  preparation.transforms.clear();
  const Batches images(split, preparation, at::kCPU, 0, false);
  if (!images.works_ahead()) return split;
  Split out = split;
  out.origin = std::exchange(out.source, nullptr);
  out.images = Tensor();
  for (int64_t first = 0; first < split.size() && !context.cancelled(); first += kAtOnce) {
    const int64_t count = std::min(kAtOnce, split.size() - first);
    observer.reading(first, split.size());
    const Tensor pixels = images.pixels(at::arange(first, first + count));
    if (!out.images.defined()) {
      out.images =
          at::empty({split.size(), pixels.size(1), pixels.size(2), pixels.size(3)}, at::kByte);
    }
    out.images.narrow(0, first, count).copy_(pixels);
  }
  observer.reading(split.size(), split.size());
  return out;
}

void fill(Data& out, const Config& config, Observer& observer) {
  const DataContext context = data_context(config, observer);
  out.dataset = config.dataset.create(context);
  out.info = info_of(config.dataset);
  const DatasetOptions& options = config.dataset_options();
  LoadedSplits loaded = load_splits(*out.dataset, config.label_uses);
  out.fingerprint = loaded.fingerprint;
  out.test_fingerprint = fingerprint_of(first_images(loaded.test, options.limit_test));
  if (options.verify == kFull) out.contents = contents_of(loaded, observer);
  const Preparation preparation = preparation_of(config, out.info);
  Preparation of_held = preparation;  // which were fitted as they were read
  of_held.crop_ratio = 1;
  const at::Device device(config.device);
  std::vector<Split*> all = {&loaded.train, &loaded.test};
  if (loaded.validation) all.push_back(&*loaded.validation);
  const bool trains_as_stored = preparation.takes_any_size();
  for (Split* split : all) {
    const bool as_stored = split == &loaded.train && trains_as_stored;
    if (as_stored && split->source && options.memory == kResident) {
      throw Error(ExitCode::kUsage,
                  "dataset.memory: resident: a transform takes images as they are stored, of any "
                  "size, and these are read one by one: they cannot be held; stream reads them");
    }
    if (!config.streams && !as_stored) *split = held(*split, preparation, context, observer);
    // Once for all splits of a set; what is changed image by image stays where that is done.
    if (split->images.defined() && preparation.of_images().empty())
      split->images = split->images.to(device);
  }
  const Splits splits = make_splits(loaded.train, loaded.test, options, loaded.validation);
  out.columns = shown_columns(splits.train, out.info.columns);
  out.findings = data_findings(loaded.train, splits, out.info,
                               images_per_epoch(config.training, splits.train.size()));
  const auto seed = static_cast<uint64_t>(config.seed);
  const Preparation& others = config.streams ? preparation : of_held;
  const Preparation& of_train = trains_as_stored ? preparation : others;
  out.train.emplace(splits.train, of_train, device, seed, true);
  if (splits.validation) {
    const bool is_own = loaded.validation.has_value();
    out.validation.emplace(*splits.validation, is_own ? others : of_train, device, seed, false);
  }
  out.test.emplace(splits.test, others, device, seed, false);
  out.splits = splits;
}

}  // namespace

Data load_data(const Config& config, Observer& observer) {
  Data out;
  out.components.note([&] { fill(out, config, observer); });
  return out;
}

std::optional<Data> load_unless_stopped(const Config& config, Observer& observer) {
  const auto stopped = [&] { return observer.stop_requested() != ExitCode::kDone; };
  try {
    Data data = load_data(config, observer);
    if (!stopped()) return data;
  } catch (const Error&) {
    if (!stopped()) throw;
  }
  return std::nullopt;
}

std::shared_ptr<Model> build_model(const Config& config, const DatasetInfo& info,
                                   Observer* observer, std::vector<std::string>* fresh) {
  torch::manual_seed(static_cast<uint64_t>(config.seed));
  auto model = config.model.create(model_context(config, info));
  told(*model, "tasks", &Model::tasks);
  const WeightsOptions& weights = config.model_options().weights;
  if (observer && config.loads_weights) fetch_weights(weights, *observer);
  const bool is_here = !weights.file.is_address() || local_weights(weights.file.value);
  if (config.loads_weights && !weights.empty() && is_here) {
    LoadedWeights loaded = load_weights(*model, weights);
    for (const std::string& message : loaded.messages) {
      if (observer) observer->message(message);
    }
    if (fresh) *fresh = std::move(loaded.fresh);
  }
  const size_t frozen = freeze(*model, weights.freeze);
  if (observer && frozen > 0) {
    observer->message(fmt::format("{}: {} of {} parameters are frozen", escape(weights.file.value),
                                  frozen, model->parameters().size()));
  }
  model->to(at::Device(config.device));
  return model;
}

ExperimentContext experiment_context(const Config& config, std::shared_ptr<Model> model,
                                     const DatasetInfo& info, const std::string& backend) {
  ExperimentContext out;
  if (config.experiment_options().predicts) out.loss = make_losses(config.loss, model->tasks());
  out.model = std::move(model);
  out.metrics = config.training.metrics;
  out.backend = backend;
  out.data = info;
  out.transforms = config.dataset_options().transforms;
  out.mixes = !config.training.mix.empty();
  out.device = config.device;
  out.seed = static_cast<uint64_t>(config.seed);
  return out;
}

namespace {

std::vector<PlacedCallback> build_callbacks(const Config& config, const Learner& learner,
                                            const DatasetInfo& info) {
  std::map<std::string, MetricInfo> metrics;
  for (const Measure& measure : learner.experiment->measures())
    metrics[measure.in("validation")] = measure.info;
  return make_callbacks(config, callback_context(config, learner.model, metrics, info));
}

// What is tested in place of the weights was seen with its own statistics, not with the last ones.
void warn_of_buffers(const Learner& learner, Observer& observer) {
  for (const PlacedCallback& placed : learner.callbacks) {
    if (!placed.callback->replaces_weights() || !placed.callback->tested_buffers().empty())
      continue;
    std::vector<std::string> names;
    for (const auto& [name, buffer] : learner.parameters->buffers()) {
      if (buffer.is_floating_point()) names.push_back(name);
    }
    if (names.empty()) continue;
    observer.warning(fmt::format(
        "{}: {} tests other weights and says nothing of buffers (tested_buffers): {} are those of "
        "the last step",
        placed.path, placed.callback->type(), some_of(std::move(names), ", ")));
  }
}

void build(Learner& out, const Config& config, const DatasetInfo& info, Observer* observer) {
  const PrecisionScope precision(config.training.precision);
  out.model = build_model(config, info, observer, &out.fresh);
  ExperimentContext context = experiment_context(config, out.model, info, config.backend);
  context.observer = observer;
  out.experiment = config.experiment.create(context);
  out.modules = trained_together(out.model, told(*out.experiment, "modules", &Experiment::modules));
  for (const auto& [name, module] : out.modules) module->to(at::Device(config.device));
  out.callbacks = build_callbacks(config, out, info);
  FlatParameters::Stages later;
  for (const PlacedCallback& placed : out.callbacks) {
    const auto names = told(*placed.callback, "trained_later", &Callback::trained_later);
    if (!names.empty()) later.push_back(names);
  }
  out.parameters = std::make_unique<FlatParameters>(out.modules, later);
  out.optimizer = config.optimizer.create({*out.parameters});
  for (const PlacedCallback& placed : out.callbacks) placed.callback->prepare(*out.parameters);
  const int threads = compute_threads();
  at::set_num_threads(
      told(*out.experiment, "has_own_threads", &Experiment::has_own_threads) ? 1 : threads);
  if (observer) warn_of_buffers(out, *observer);
}

}  // namespace

Learner build_learner(const Config& config, const DatasetInfo& info, Observer* observer) {
  Learner out;
  out.components.note([&] { build(out, config, info, observer); });
  return out;
}

}  // namespace vitrine

#include "framework/checking/tries.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/utils.h>

#include <algorithm>
#include <cmath>

#include "framework/model/model.h"
#include "framework/runs/metrics.h"
#include "framework/runs/run_directory.h"
#include "framework/training/backend.h"
#include "framework/training/inspect.h"
#include "framework/training/model_file.h"
#include "framework/training/setup.h"
#include "framework/training/state.h"
#include "framework/training/step_graph.h"
#include "framework/training/threads.h"
#include "framework/training/weights_source.h"

namespace vitrine {
namespace {

// Of the largest. A loss over many images, such as a softmax at a low temperature, costs gradients
// a digit.
constexpr double kClose = 1e-5, kCloseGradients = 1e-4;

// A config with its data and what trains on them, `backend` instead of its own where that is given.
struct Bench {
  explicit Bench(const Tryout& tryout, const std::string& backend = "") {
    resolved = resolve_tryout(tryout);
    auto own = std::make_shared<Config>(*resolved->config);
    if (!backend.empty()) own->backend = backend;
    config = own;
    set_compute_threads(1);
    Nobody nobody;
    data.emplace(load_data(*config, nobody));
    learner = build_learner(*config, data->info);
    set_training(learner.modules, true);
  }
  Batch batch(int64_t count, bool is_reversed = false) const {
    const Tensor indices = at::arange(std::min(count, data->train->size()));
    return data->train->gather(is_reversed ? indices.flip(0) : indices, 0,
                               config->experiment_options().views);
  }

  std::shared_ptr<const ResolvedConfig> resolved;
  std::shared_ptr<const Config> config;
  std::optional<Data> data;
  Learner learner;
};

std::string relative(double value) { return fmt::format("{:.2g}", value); }

// The largest difference, as a share of the largest number.
double apart(const Tensor& a, const Tensor& b) {
  const double most = std::max(a.abs().max().item<double>(), 1e-30);
  return (a - b).abs().max().item<double>() / most;
}

// Why the experiment is not recorded; empty where it is.
std::string refusal_of(const Bench& bench) {
  const BackendChoice choice = choose_backend(bench.learner.experiment->computation(), "cpu");
  return choice.value == kFused ? "" : choice.reason;
}

// The gradient of a batch, and its sums.
struct Differentiated {
  Tensor gradients, sums;
};

Differentiated differentiated(Bench& bench, const Batch& batch) {
  FlatParameters& parameters = *bench.learner.parameters;
  parameters.gradients().zero_();
  torch::manual_seed(0);
  const Tensor sums = bench.learner.experiment->differentiate(batch, 1, parameters);
  return {parameters.gradients().clone(), sums.clone()};
}

// The parameter with the largest difference.
std::string where_apart(Bench& bench, const Tensor& a, const Tensor& b) {
  std::string out;
  double most = 0;
  const auto other = bench.learner.parameters->by_name(b);
  for (const auto& [name, values] : bench.learner.parameters->by_name(a)) {
    const double here =
        values.numel() > 0 ? (values - other.at(name)).abs().max().item<double>() : 0;
    if (here > most) out = name;
    most = std::max(most, here);
  }
  return out;
}

Metrics metrics_of(const std::filesystem::path& run) {
  return Metrics::read(RunDirectory::open(run).metrics());
}

std::vector<Tensor> outputs_of(const ModelFile& file, const Tensor& pixels) {
  const at::NoGradGuard no_grad;
  return file.backend->forward({pixels, {}, {}});
}

// Whether each row [K] is shares that sum to 1.
bool is_distribution(const Tensor& rows) {
  return rows.min().item<double>() >= 0 && (rows.sum(1) - 1).abs().max().item<double>() < 1e-4;
}

Tensor some_images(const Bench& bench, int64_t count) {
  return bench.data->test->pixels(at::arange(std::min(count, bench.data->test->size())));
}

}  // namespace

Finding try_whole(const Tryout& tryout) {
  for (const std::string& warning : train_tryout(tryout, "whole")) {
    if (warning.starts_with("loggers: ")) return Finding::fault(warning);
  }
  const Metrics metrics = metrics_of(tryout.run("whole"));
  if (metrics.status != RunStatus::kFinished)
    return Finding::fault("the run ended as " + to_string(metrics.status));
  return Finding::sound(fmt::format("{}; executed by {}", tryout.where,
                                    metrics.execution["backend"]["value"].get<std::string>()));
}

Finding try_again(const Tryout& tryout) {
  train_tryout(tryout, "again");
  const std::string found = difference(tryout.run("whole"), tryout.run("again"));
  if (found.empty()) return Finding::sound("the same bits");
  return Finding::fault(found + ": something draws numbers that the seed does not decide");
}

Finding try_without(const Tryout& tryout, const std::string& key) {
  Tryout plain = tryout;
  plain.config.erase(key);
  train_tryout(plain, "without");
  const std::string found = difference(tryout.run("without"), tryout.run("whole"));
  if (found.empty()) return Finding::sound("the same bits as without it");
  return Finding::fault(found + " with it: it may only read");
}

Finding try_threads(const Tryout& tryout) {
  for (const int64_t threads : {2, 3}) {
    Node change = Node::mapping();
    change.set("threads", Node::plain(std::to_string(threads)));
    const Tryout changed = tryout.with(change);
    if (resolve_tryout(changed)->config->backend != kFused)
      return Finding::not_tried("libtorch's own threads may change the last bits");
    const std::string name = fmt::format("threads_{}", threads);
    train_tryout(changed, name);
    const std::string found = difference(tryout.run("whole"), tryout.run(name));
    if (!found.empty()) return Finding::fault(fmt::format("{} threads: {}", threads, found));
  }
  return Finding::sound("the same bits with 1, 2 and 3");
}

Finding try_stopping(const Tryout& tryout, int64_t step) {
  train_tryout(tryout, fmt::format("stopped_{}", step), step);
  return Finding::sound();
}

Finding try_resuming(const Tryout& tryout, int64_t step) {
  const std::string name = fmt::format("stopped_{}", step);
  resume_tryout(tryout, name);
  const std::string found = difference(tryout.run("whole"), tryout.run(name));
  if (!found.empty()) {
    return Finding::fault(
        fmt::format("stopped after step {} and resumed: {}: it keeps something "
                    "that it does not declare as state",
                    step, found));
  }
  if (!metrics_of(tryout.run(name)).exact)
    return Finding::fault(fmt::format("resumed after step {}, the run is not exact", step));
  return Finding::sound("the same bits");
}

Finding try_backends(const Tryout& tryout) {
  Bench layers(tryout, kLayers);
  if (layers.learner.parameters->gradients().numel() == 0)
    return Finding::not_tried("it trains nothing");
  if (const std::string why = refusal_of(layers); !why.empty()) return Finding::not_tried(why);
  Bench fused(tryout, kFused);
  const Differentiated one = differentiated(layers, layers.batch(8)),
                       other = differentiated(fused, fused.batch(8));
  // The sums of metrics count images, which may change sides by rounding.
  const double loss = apart(one.sums.narrow(0, 0, 1), other.sums.narrow(0, 0, 1));
  if (!(loss <= kClose))
    return Finding::fault(
        fmt::format("the losses of fused and layers are {} apart", relative(loss)));
  const double gradient = apart(one.gradients, other.gradients);
  if (gradient <= kCloseGradients) {
    return Finding::sound(fmt::format("losses {} and gradients {} apart, of the largest",
                                      relative(loss), relative(gradient)));
  }
  return Finding::fault(
      fmt::format("the gradients of {} by fused and layers are {} apart, of the "
                  "largest",
                  where_apart(layers, one.gradients, other.gradients), relative(gradient)));
}

Finding try_gradients(const Tryout& tryout) {
  Bench bench(tryout);
  Learner& learner = bench.learner;
  if (learner.parameters->gradients().numel() == 0)
    return Finding::fault("no parameter requires a gradient: nothing is trained");
  Meter meter(learner.experiment->width(), learner.parameters->values().device());
  Tensor most = at::zeros_like(learner.parameters->gradients());
  const Tensor before = learner.parameters->values().clone();
  for (int step = 0; step < 4; ++step) {
    train_step(learner, {bench.batch(8)}, {}, learner.optimizer->learning_rate(), meter);
    most = at::maximum(most, learner.parameters->gradients().abs());
  }
  const bool is_trained = most.max().item<double>() > 0;
  if (is_trained && learner.parameters->values().equal(before))
    return Finding::fault("in four steps no parameter has changed: are they assigned to?");
  const Tensor last = learner.parameters->gradients().clone();
  learner.optimizer->step(learner.optimizer->learning_rate());
  if (!learner.parameters->gradients().equal(last))
    return Finding::fault("a step changes the gradients");
  std::vector<std::string> without;
  const auto by_name = learner.parameters->by_name(most);
  for (const FlatParameters::Slice& slice : learner.parameters->slices()) {
    const Tensor& largest = by_name.at(slice.name);
    if (!largest.isfinite().all().item<bool>())
      return Finding::fault("the gradient of " + slice.name + " is not finite");
    if (slice.parameter.requires_grad() && largest.numel() > 0 && largest.max().item<double>() == 0)
      without.push_back(slice.name);
  }
  if (!without.empty()) {
    return Finding::fault(
        fmt::format("in four steps nothing has reached {}: registered, and not "
                    "used?",
                    fmt::join(without, ", ")));
  }
  return Finding::sound(fmt::format("{} parameters", learner.parameters->slices().size()));
}

Finding try_share(const Tryout& tryout) {
  Bench bench(tryout);
  FlatParameters& parameters = *bench.learner.parameters;
  const auto add = [&](double share) {
    torch::manual_seed(0);
    bench.learner.experiment->differentiate(bench.batch(8), share, parameters);
    return parameters.gradients().clone();
  };
  parameters.gradients().zero_();
  const Tensor half = add(0.5), both = add(0.5);
  parameters.gradients().zero_();
  const Tensor whole = add(1);
  if (!(apart(half * 2, whole) <= kCloseGradients))
    return Finding::fault("half a share has not half the gradient");
  if (!(apart(both, whole) <= kCloseGradients))
    return Finding::fault("gradients are not added to those that are there");
  return Finding::sound("half a share has half the gradient, and gradients add up");
}

Finding try_order(const Tryout& tryout) {
  Bench bench(tryout), reversed(tryout);
  const Batch batch = bench.batch(8), other = reversed.batch(8, /*is_reversed=*/true);
  const Tensor one = differentiated(bench, batch).sums, two = differentiated(reversed, other).sums;
  const double found = apart(one.narrow(0, 0, 1), two.narrow(0, 0, 1));
  if (found <= kClose) return Finding::sound("the same loss of a batch in another order");
  return Finding::fault(
      fmt::format("the loss of a batch is {} apart, of its size, when its images come in another "
                  "order: what is random must draw by their numbers",
                  relative(found)));
}

Finding try_test(const Tryout& tryout) {
  const auto run = tryout.run("whole");
  const auto config = resolve_tested({run / "config.yaml", {}, {}}, WeightsSource{run, ""});
  set_compute_threads(1);
  Nobody nobody;
  const auto tested = test(config, WeightsSource{run, ""}, nobody, {});
  const Metrics metrics = metrics_of(run);
  for (const auto& [name, value] : metrics.test.items()) {
    if (!value.is_number() || !tested.contains(name)) continue;
    const double then = value.get<double>(), now = tested.at(name).get<double>();
    const bool is_same = then == now || (std::isnan(then) && std::isnan(now)) ||
                         std::abs(then - now) <= 1e-6 * std::abs(then);
    if (!is_same)
      return Finding::fault(
          fmt::format("{} was {} as the run ended, and is {} now", name, then, now));
  }
  return Finding::sound("as the run has ended");
}

Finding try_export(const Tryout& tryout) {
  const RunDirectory run = RunDirectory::open(tryout.run("whole"));
  const ModelFile file = load_model(run.model());
  Bench bench(tryout);
  const Place checkpoint = find_checkpoint(run, "best");
  restore_tested(load_checkpoint(checkpoint), bench.learner, checkpoint.shown());
  const Tensor pixels = some_images(bench, 7);
  const std::vector<int64_t> sizes = {file.context.channels, file.context.height,
                                      file.context.width};
  bench.learner.model->eval();
  const at::NoGradGuard no_grad;
  Backend backend(bench.learner.model, file.backend->way(), sizes, "cpu");
  const auto own = backend.forward({pixels, {}, {}}), loaded = outputs_of(file, pixels);
  double most = 0;
  for (size_t i = 0; i < own.size(); ++i) most = std::max(most, apart(own[i], loaded[i]));
  if (most <= kClose) {
    return Finding::sound(
        most == 0 ? "the same bits from model.safetensors"
                  : fmt::format("from model.safetensors {} apart, of the largest", relative(most)));
  }
  return Finding::fault(
      fmt::format("of model.safetensors outputs are {} apart from those of the checkpoint, of the "
                  "largest: what the model computes with is no parameter and no buffer of it",
                  relative(most)));
}

Finding try_batches(const Tryout& tryout) {
  const ModelFile file = load_model(RunDirectory::open(tryout.run("whole")).model());
  const Bench bench(tryout);
  const Tensor pixels = some_images(bench, 7);
  const auto together = outputs_of(file, pixels);
  for (size_t task = 0; task < together.size(); ++task) {
    const auto& tasks = file.model->tasks();
    if (task < tasks.size() && tasks[task].probabilities &&
        !is_distribution(together[task].flatten(1)))
      return Finding::fault("it says that it gives probabilities, and they do not sum to 1");
    std::vector<Tensor> alone;
    for (int64_t i = 0; i < pixels.size(0); ++i)
      alone.push_back(outputs_of(file, pixels.narrow(0, i, 1))[task]);
    const Tensor all = at::cat(alone);
    if (all.sizes() != together[task].sizes())
      return Finding::fault("one image has outputs of another shape than several");
    const double found = apart(together[task], all);
    if (found > kClose) {
      return Finding::fault(
          fmt::format("outputs for an image are {} apart, of the largest, when "
                      "others are in its batch",
                      relative(found)));
    }
  }
  return Finding::sound("batches of 1 and 7 agree");
}

}  // namespace vitrine

#include "framework/training/run.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>
#include <torch/version.h>

#include <cmath>

#include "framework/files/file.h"
#include "framework/files/sha256.h"
#include "framework/runs/environment.h"
#include "framework/training/model_file.h"

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;
constexpr size_t kSharedSums = 2;  // loss and gradient norm stand before the tasks'

int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }
std::string checkpoint_name(int64_t step) { return checkpoint_file("", step).stem().string(); }

nlohmann::ordered_json environment_of(const Config& config) {
  Json out = describe_environment();
  out["torch"] = TORCH_VERSION;
  out["threads"] = *config.threads;
  out["device"] = config.device;
  return out;
}

// The part of the environment that the bits of a result depend on.
Json exactness_of(const Json& environment, const Model& model) {
  Json out;
  for (const char* key : {"vitrine", "git", "compiler", "torch", "isa", "threads", "device"}) {
    out[key] = environment.value(key, Json());
  }
  if (model.has_own_threads()) out.erase("threads");
  for (const Model::Decision& decision : model.decisions()) out[decision.key] = decision.value;
  return out;
}

// One line for people about an epoch's row.
std::string epoch_line(const Json& row, int64_t epochs) {
  std::string line = fmt::format(
      "epoch {} of {}: loss {:.4f}, accuracy {:.2f} %", row.at("epoch").get<int64_t>(), epochs,
      row.at("train/loss").get<double>(), 100 * row.at("train/accuracy").get<double>());
  if (row.contains("validation/loss")) {
    line += fmt::format("; validation loss {:.4f}, accuracy {:.2f} %",
                        row.at("validation/loss").get<double>(),
                        100 * row.at("validation/accuracy").get<double>());
  }
  return line + fmt::format("; {:.2f} s, {:.0f} images/s", row.at("seconds").get<double>(),
                            row.at("images_per_second").get<double>());
}

}  // namespace

Run::Run(const TrainRequest& request, RunLog& log, Data data, Learner learner)
    : request_(request),
      config_(*request.config->config),
      log_(log),
      data_(std::move(data)),
      learner_(std::move(learner)) {
  const TrainingOptions& options = config_.training;
  const int64_t per_step = options.batch_size * options.accumulate;
  images_per_epoch_ = data_.train->size();
  if (options.overfit_batches) {
    images_per_epoch_ = std::min(images_per_epoch_, *options.overfit_batches * options.batch_size);
  }
  steps_per_epoch_ = divide_up(images_per_epoch_, per_step);
  total_steps_ = options.epochs * steps_per_epoch_;
  if (options.max_steps) total_steps_ = std::min(total_steps_, *options.max_steps);
  schedule_ = config_.schedule.create({total_steps_, steps_per_epoch_});
  if (options.ema_decay) average_ = parameters().values().clone();
  const auto width = static_cast<int64_t>(kSharedSums + 2 * objective().tasks().size());
  sums_ = at::zeros({width}, at::TensorOptions(at::kDouble).device(parameters().values().device()));
  state_.window.values = state_.total.values = std::vector<double>(static_cast<size_t>(width));
  if (request_.resume) {
    restore();
  } else {
    start();
  }
  lap_ = saved_at_ = shown_at_ = Clock::now();
  shown_step_ = state_.step;
}

Run::~Run() = default;

void Run::describe() {
  const ResolvedConfig& config = *request_.config;
  metrics_.name = config.name;
  metrics_.run = directory_->id();
  metrics_.tags = config_.tags;
  metrics_.note = config_.note;
  metrics_.seed = config_.seed;
  if (metrics_.command.empty()) metrics_.command = request_.command;
  Node resolved = config.resolved;
  for (const Model::Decision& decision : model().decisions()) {
    resolved.find("model")->set(decision.key, Node::string(decision.value));
    metrics_.model[decision.key] = decision.value;
  }
  metrics_.config = resolved.json();
  const std::string text = to_yaml(resolved);
  metrics_.config_sha256 = sha256_hex(text);
  metrics_.dataset = {{"type", config_.dataset.type()},
                      {"sha256", data_.fingerprint},
                      {"train", data_.train->size()},
                      {"validation", data_.validation ? data_.validation->size() : 0},
                      {"test", data_.test->size()}};
  int64_t parameters = 0, flops = 0;
  for (const auto& parameter : model().parameters()) parameters += parameter.numel();
  for (const LayerSummary& layer :
       model().layers(data_.test->pixels(at::zeros({1}, at::kLong)).to(at::Device(config_.device))))
    flops += layer.flops;
  Json described = {
      {"type", config_.model.type()}, {"parameters", parameters}, {"flops_per_image", flops}};
  described.update(metrics_.model);
  metrics_.model = std::move(described);
  metrics_.environment = environment_of(config_);
  metrics_.metrics.clear();
  for (const char* split : {"train", "validation", "test"}) {
    if (split == std::string("validation") && !data_.validation) continue;
    metrics_.metrics[metric_name(split, "loss")] = {"min", "nats"};
    metrics_.metrics[metric_name(split, "accuracy")] = {"max", "fraction"};
    for (const Task& task : objective().tasks()) {
      if (objective().tasks().size() == 1) break;
      metrics_.metrics[metric_name(split, "loss", task.name)] = {"min", "nats"};
      metrics_.metrics[metric_name(split, "accuracy", task.name)] = {"max", "fraction"};
    }
  }
  write_file_atomically(directory_->config(), text);
}

void Run::start() {
  directory_ = request_.run_dir ? RunDirectory::create_at(*request_.run_dir)
                                : RunDirectory::create(request_.runs_root, request_.config->name);
  lock_.emplace(directory_->path());
  log_.open(directory_->log());
  describe();
  metrics_.started = utc_now();
  rows_.emplace(directory_->rows());
  metrics_.write(directory_->metrics());
}

void Run::restore() {
  directory_ = RunDirectory::open(*request_.run_dir);
  lock_.emplace(directory_->path());
  log_.open(directory_->log());
  if (std::filesystem::exists(directory_->metrics()))
    metrics_ = Metrics::read(directory_->metrics());
  if (metrics_.started.empty()) metrics_.started = utc_now();
  const Json environment = exactness_of(environment_of(config_), model());
  uint64_t rows_length = 0;
  rows_.emplace(directory_->rows());
  if (const auto loaded = load_latest(directory_->checkpoints())) {
    for (const std::string& warning : loaded->warnings) log_.warning(warning);
    const Restored restored =
        vitrine::restore(loaded->checkpoint, learner_, average_, escape(loaded->file.string()));
    if (restored.surroundings.dataset_sha256 != data_.fingerprint) {
      throw Error(ExitCode::kCheckpoint,
                  fmt::format("{}: the data have changed since this run was started (their SHA-256 "
                              "is {}, was {}); start a new run",
                              escape(directory_->path().string()), data_.fingerprint.substr(0, 12),
                              escape(restored.surroundings.dataset_sha256.substr(0, 12))));
    }
    state_ = restored.state;
    rows_length = restored.rows_length;
    sums_.copy_(at::tensor(state_.window.values, at::kDouble));
    note_checkpoint();  // metrics.json is written later than a checkpoint, and may not know of it
    for (const auto& [key, value] : environment.items()) {
      const Json was = restored.surroundings.environment.value(key, nlohmann::json());
      if (was == value) continue;
      log_.warning(fmt::format(
          "this run goes on under another {} ({}, was {}): its results are no longer exact", key,
          escape(value.dump()), escape(was.dump())));
      state_.exact = false;
    }
    log_.message(fmt::format("going on from {} (step {} of {})", checkpoint_name(state_.step),
                             state_.step, total_steps_));
  } else {
    metrics_.last_checkpoint.clear();
    metrics_.best_checkpoint.clear();
    log_.message("no checkpoint yet: the run starts at step 0");
  }
  for (const std::string& change : request_.config->inexact_changes) {
    log_.warning(change +
                 " differs from what this run was started with: its results are no longer exact");
    state_.exact = false;
  }
  rows_->cut(rows_length);
  metrics_.history.clear();
  for (Json row : read_rows(directory_->rows())) {
    if (row.value("kind", "") != "epoch") continue;
    row.erase("kind");
    metrics_.add_epoch(std::move(row));
  }
  describe();
  metrics_.exact = state_.exact;
  metrics_.set_status(RunStatus::kRunning);
  metrics_.finished.clear();
  metrics_.write(directory_->metrics());
}

bool Run::complete() const {
  const auto& stopping = options().early_stopping;
  const bool stopped_early = stopping && state_.epochs_without_improvement >= stopping->patience;
  return state_.step >= total_steps_ || (stopped_early && state_.step_in_epoch == 0);
}

void Run::begin_epoch() {
  if (state_.step_in_epoch > 0) {
    order_ = EpochOrder::from_seed(state_.order_seed, images_per_epoch_);
    return;
  }
  order_ = EpochOrder::draw(images_per_epoch_);
  state_.order_seed = order_->seed();
}

bool Run::has_next_step() const {
  return state_.step_in_epoch < steps_per_epoch_ && state_.step < total_steps_;
}

std::vector<Batch> Run::next_batches() {
  const int64_t per_step = options().batch_size * options().accumulate;
  const int64_t begin = state_.step_in_epoch * per_step;
  const int64_t end = std::min(begin + per_step, images_per_epoch_);
  std::vector<Batch> out;
  for (int64_t first = begin; first < end; first += options().batch_size) {
    const int64_t count = std::min(options().batch_size, end - first);
    out.push_back(data_.train->gather(order_->indices(first, count), state_.epoch));
  }
  return out;
}

double Run::learning_rate() const {
  return learner_.optimizer->learning_rate() * schedule_->factor(state_.step);
}

void Run::count(const Objective::Result& result, int64_t images) {
  const at::NoGradGuard no_grad;
  const auto n = static_cast<double>(images);
  sums_[0] += result.loss.detach() * n;
  for (size_t i = 0; i < result.losses.size(); ++i) {
    const auto at = static_cast<int64_t>(kSharedSums + 2 * i);
    sums_[at] += result.losses[i] * n;
    sums_[at + 1] += result.correct[i];
  }
  state_.window.images += images;
}

bool Run::end_step(const Tensor& gradient_norm) {
  {
    const at::NoGradGuard no_grad;
    sums_[1] += gradient_norm;
    if (average_.defined()) average_.lerp_(parameters().values(), 1 - *options().ema_decay);
  }
  ++state_.window.steps;
  ++state_.step;
  ++state_.step_in_epoch;
  if (state_.step % options().log_every == 0) flush_window();
  show_progress();
  if (!has_next_step()) return true;  // the end of the epoch saves and listens
  poll_stop();
  if (stopped_ != ExitCode::kDone || checkpoint_due()) save();
  return stopped_ == ExitCode::kDone;
}

void Run::poll_stop() {
  if (stopped_ == ExitCode::kDone) stopped_ = log_.stop_requested();
  const bool limit = request_.stop_after && state_.step >= *request_.stop_after;
  if (stopped_ == ExitCode::kDone && limit && !complete()) stopped_ = ExitCode::kStopped;
}

// Moves the window's sums to the epoch's, with a row of their means.
void Run::flush_window() {
  if (state_.window.steps == 0) return;
  const Tensor values = sums_.cpu();
  state_.window.values.assign(values.data_ptr<double>(),
                              values.data_ptr<double>() + values.numel());
  sums_.zero_();
  const auto now = Clock::now();
  const double seconds = std::chrono::duration<double>(now - lap_).count();
  lap_ = now;
  state_.seconds += seconds;
  state_.epoch_seconds += seconds;
  last_loss_ = state_.window.values[0] / static_cast<double>(state_.window.images);
  append("step", row_of(state_.window));
  for (size_t i = 0; i < state_.total.values.size(); ++i)
    state_.total.values[i] += state_.window.values[i];
  state_.total.images += state_.window.images;
  state_.total.steps += state_.window.steps;
  state_.window = {std::vector<double>(state_.total.values.size()), 0, 0};
  require_finite();
}

Json Run::row_of(const Sums& sums) const {
  const auto images = static_cast<double>(sums.images);
  Json row = {{metric_name("train", "loss"), sums.values[0] / images},
              {metric_name("train", "accuracy"), sums.values[kSharedSums + 1] / images}};
  const auto& tasks = objective().tasks();
  for (size_t i = 0; tasks.size() > 1 && i < tasks.size(); ++i) {
    row[metric_name("train", "loss", tasks[i].name)] = sums.values[kSharedSums + 2 * i] / images;
    row[metric_name("train", "accuracy", tasks[i].name)] =
        sums.values[kSharedSums + 2 * i + 1] / images;
  }
  row["train/grad_norm"] = sums.values[1] / static_cast<double>(sums.steps);
  return row;
}

void Run::append(const char* kind, Json row) {
  const int64_t epoch = state_.epoch + 1;
  Json out = {{"kind", kind}, {"epoch", epoch}, {"step", state_.step}};
  out.update(row);
  out["learning_rate"] = learner_.optimizer->learning_rate() * schedule_->factor(state_.step - 1);
  rows_->append(out);
}

void Run::require_finite() {
  bool finite = true;
  for (double value : state_.total.values) finite &= std::isfinite(value);
  if (finite) return;
  const std::string kept =
      saved_step_ >= 0 ? " The last good checkpoint is " + checkpoint_name(saved_step_) + "." : "";
  throw Error(
      ExitCode::kDiverged,
      fmt::format("the loss is not finite by step {} (epoch {}): training has diverged. A lower "
                  "optimizer.lr (now {}), "
                  "training.clip_norm or schedule.warmup may help.{}",
                  state_.step, state_.epoch + 1, learner_.optimizer->learning_rate(), kept));
}

void Run::use_average(bool on) {
  if (!average_.defined()) return;
  const at::NoGradGuard no_grad;
  if (on) {
    weights_ = parameters().values().clone();
    parameters().values().copy_(average_);
  } else {
    parameters().values().copy_(weights_);
  }
}

Evaluation Run::evaluate_split(const Batches& data, const std::string& split, bool details) {
  EvaluationOptions options;
  options.split = split;
  options.details = details;
  options.batch_size = std::max<int64_t>(config_.training.batch_size, 256);
  options.cancelled = [&] { return log_.stop_requested() == ExitCode::kInterrupted; };
  return evaluate(model(), objective(), data, options);
}

void Run::note_validation(const Evaluation& validation) {
  const double accuracy = validation.values.at("validation/accuracy"),
               loss = validation.values.at("validation/loss");
  if (!state_.best || accuracy > state_.best->accuracy ||
      (accuracy == state_.best->accuracy && loss < state_.best->loss)) {
    state_.best = {accuracy, loss, state_.step};
  }
  if (const auto& stopping = options().early_stopping) {
    const double value = stopping->metric == "validation/loss" ? -loss : accuracy;
    const bool improved =
        !state_.best_stopping || value > *state_.best_stopping + stopping->min_delta;
    if (improved) state_.best_stopping = value;
    state_.epochs_without_improvement = improved ? 0 : state_.epochs_without_improvement + 1;
  }
}

bool Run::end_epoch() {
  flush_window();
  const bool whole = state_.step_in_epoch == steps_per_epoch_;
  Evaluation validation;
  const RunState before = state_;
  if (data_.validation) {
    use_average(true);
    validation = evaluate_split(*data_.validation, "validation", false);
    use_average(false);
    note_validation(validation);
  }
  // Interrupted while it validated: nothing of it counts, and the epoch ends again after the
  // resume.
  if (data_.validation && log_.stop_requested() == ExitCode::kInterrupted) {
    state_ = before;
    stopped_ = ExitCode::kInterrupted;
    save();
    return false;
  }
  Json row = row_of(state_.total);
  row.update(validation.values);
  row["seconds"] = state_.epoch_seconds;
  row["images_per_second"] =
      static_cast<double>(state_.total.images) / std::max(state_.epoch_seconds, 1e-9);
  if (!whole)
    save();  // of an epoch that max_steps cut short, the row is written anew when the run is taken
             // further
  append("epoch", row);
  Json history = {{"epoch", state_.epoch + 1}, {"step", state_.step}};
  history.update(row);
  history["learning_rate"] =
      learner_.optimizer->learning_rate() * schedule_->factor(state_.step - 1);
  metrics_.add_epoch(history);
  log_.message(epoch_line(history, divide_up(total_steps_, steps_per_epoch_)));
  if (whole) {
    ++state_.epoch;
    state_.step_in_epoch = 0;
    state_.total = {std::vector<double>(state_.total.values.size()), 0, 0};
    state_.epoch_seconds = 0;
    poll_stop();
    const bool best = state_.best && state_.best->step == state_.step;
    if (best || complete() || stopped_ != ExitCode::kDone || checkpoint_due()) save();
  }
  metrics_.write(directory_->metrics());
  lap_ = Clock::now();
  return stopped_ == ExitCode::kDone;
}

bool Run::checkpoint_due() const {
  const Interval& every = options().checkpoint.every;
  if (every.unit == Interval::Unit::kMinutes) {
    return std::chrono::duration<double>(Clock::now() - saved_at_).count() >= every.count * 60;
  }
  return state_.step % std::max<int64_t>(every.in_steps(steps_per_epoch_), 1) == 0;
}

void Run::save() {
  const auto now = Clock::now();
  const double seconds = std::chrono::duration<double>(now - lap_).count();
  RunState state = state_;
  state.seconds += seconds;
  state.epoch_seconds += state.step_in_epoch > 0 ? seconds : 0;
  const Tensor values = sums_.cpu();
  state.window.values.assign(values.data_ptr<double>(), values.data_ptr<double>() + values.numel());
  for (double value : state.window.values) {
    if (!std::isfinite(value))
      flush_window();  // says so, and ends the run before bad weights are kept
  }
  rows_->flush();
  const Surroundings surroundings{data_.fingerprint,
                                  nlohmann::json(exactness_of(metrics_.environment, model()))};
  save_checkpoint(directory_->checkpoints(),
                  capture(state, learner_, average_, rows_->size(), surroundings), state.step);
  const auto best = state_.best ? std::optional(state_.best->step) : std::nullopt;
  prune_checkpoints(directory_->checkpoints(), options().checkpoint.keep, best);
  saved_at_ = now;
  note_checkpoint();
}

// The newest checkpoint holds state_.
void Run::note_checkpoint() {
  saved_step_ = state_.step;
  metrics_.last_checkpoint = checkpoint_name(state_.step);
  metrics_.best_checkpoint = checkpoint_name(state_.best ? state_.best->step : state_.step);
}

void Run::show_progress() {
  const auto now = Clock::now();
  const double seconds = std::chrono::duration<double>(now - shown_at_).count();
  if (seconds < 0.1) return;
  const auto per_step = static_cast<double>(options().batch_size * options().accumulate);
  const double steps_per_second = static_cast<double>(state_.step - shown_step_) / seconds;
  speed_ = speed_ == 0 ? steps_per_second : 0.8 * speed_ + 0.2 * steps_per_second;
  shown_at_ = now;
  shown_step_ = state_.step;
  log_.progress({state_.epoch + 1, divide_up(total_steps_, steps_per_epoch_), state_.step,
                 total_steps_, last_loss_, speed_ * per_step,
                 static_cast<double>(total_steps_ - state_.step) / std::max(speed_, 1e-9)});
}

void Run::finish() {
  if (saved_step_ != state_.step) save();
  const int64_t tested = state_.best ? state_.best->step : state_.step;
  const auto file = checkpoint_file(directory_->checkpoints(), tested);
  restore_weights(load_checkpoint(file), model(), escape(file.string()));
  const Evaluation test = evaluate_split(*data_.test, "test", true);
  if (log_.stop_requested() == ExitCode::kInterrupted) {
    stopped_ = ExitCode::kInterrupted;
    return;
  }
  save_model(directory_->model(), model(), config_, data_.info);
  const Json details = {{"format", 1},
                        {"checkpoint", checkpoint_name(tested)},
                        {"images", data_.test->size()},
                        {"chw", {data_.info.channels, data_.info.height, data_.info.width}},
                        {"tasks", test.tasks}};
  write_file_atomically(directory_->test(), details.dump() + "\n");
  Json values = test.values;
  values["checkpoint"] = checkpoint_name(tested);
  metrics_.set_test(values);
  Json summary = test.values;
  if (!metrics_.history.empty()) {
    const Json& last = metrics_.history.back();
    for (const auto& [key, value] : last.items()) {
      if (key.starts_with("train/") || key.starts_with("validation/")) summary[key] = value;
    }
  }
  summary["seconds"] = state_.seconds;
  summary["peak_memory_bytes"] = peak_memory_bytes();
  metrics_.summary = summary;
  leave(RunStatus::kFinished);
}

void Run::leave(RunStatus status) {
  metrics_.set_status(status);
  metrics_.finished = utc_now();
  metrics_.write(directory_->metrics());
}

}  // namespace vitrine

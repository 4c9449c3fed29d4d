#include "framework/training/run.h"

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "framework/files/file.h"
#include "framework/files/temporary_file.h"
#include "framework/model/without_trace.h"
#include "framework/ranks/ranks.h"
#include "framework/runs/environment.h"
#include "framework/training/ending.h"
#include "framework/training/model_file.h"
#include "framework/training/rank_folder.h"
#include "framework/training/run_metrics.h"
#include "framework/training/weight_average.h"
#include "framework/training/workload.h"
#include "framework/training/worst_images.h"

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;

int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

std::vector<std::shared_ptr<Logger>> make_loggers(const Config& config) {
  std::vector<std::shared_ptr<Logger>> out;
  if (!ranks().is_first()) return out;
  for (const auto& choice : config.loggers) out.push_back(choice.create({}));
  return out;
}

bool all_finite(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); });
}

}  // namespace

Run::Run(const TrainRequest& request, RunLog& log, Data data, Learner learner)
    : request_(request),
      config_(*request.config->config),
      log_(log),
      data_(std::move(data)),
      learner_(std::move(learner)),
      loader_(*data_.train, config_.training, config_.experiment_options().views),
      checkpointing_(config_.training.checkpoint, loader_.steps_per_epoch()),
      meter_(vitrine::told(*learner_.experiment, "width", &Experiment::width),
             parameters().values().device()),
      callbacks_(std::move(learner_.callbacks), make_loggers(config_), log_) {
  learner_.components.add(data_.components);
  learner_.components.note([&] {
    schedule_ = config_.schedule.create({loader_.total_steps(), loader_.steps_per_epoch()});
    mixer_.emplace(config_.training.mix, static_cast<uint64_t>(config_.seed));
  });
  model_ = describe_model(*learner_.model, config_, data_.info);
  provenance_.dataset_sha256 = data_.fingerprint;
  provenance_.dataset_contents = data_.contents;
  provenance_.config = request_.config->resolved.json();
  provenance_.environment = exactness_of(config_);
  if (vitrine::told(*schedule_, "depends_on_total", &Schedule::depends_on_total))
    provenance_.environment["total_steps"] = loader_.total_steps();
  state_.window = state_.total = zero_sums(learner_.experiment->width());
  if (request_.resume) {
    restore();
  } else {
    start();
  }
  lap_ = Clock::now();
  speed_ = Speed(state_.step);
}

Run::~Run() = default;

void Run::describe() {
  Metrics& metrics = told();
  metrics.run = provenance_.run;
  metrics.started = provenance_.started;
  if (metrics.command.empty()) metrics.command = request_.command;
  vitrine::describe(metrics, *request_.config, data_, learner_);
  if (!provenance_.dataset_contents.empty())
    metrics.dataset["contents_sha256"] = provenance_.dataset_contents;
  metrics.contents = provenance_.contents;
  metrics.changes = state_.changes;
}

void Run::lock() {
  lock_.emplace(directory_->folder());
  if (!lock_->warning().empty()) log_.warning(lock_->warning());
}

void Run::start() {
  directory_ = request_.run_dir ? RunDirectory::create_at(*request_.run_dir)
                                : RunDirectory::create(request_.runs_root, request_.config->name);
  lock();
  provenance_.contents = contents_of(*request_.config, *learner_.experiment);
  // Another runner may have come and gone since.
  if (request_.run_dir) directory_ = RunDirectory::create_at(*request_.run_dir);
  remove_temporaries(directory_->folder());  // of one that was killed before it had a config
  provenance_.run = directory_->id();
  provenance_.started = utc_now();
  log_.open(directory_->log());
  recorder_.emplace(RunRecorder::begin(*directory_, log_));
  describe();
  write_file_atomically(directory_->config(), to_yaml(request_.config->resolved));
  recorder_->write();
}

bool Run::complete() const {
  if (state_.step_in_epoch > 0 && !cut_short_) return false;  // the end of an epoch is to come
  return state_.step >= loader_.total_steps() || !end_.reason.empty();
}

int64_t Run::epochs() const { return divide_up(loader_.total_steps(), loader_.steps_per_epoch()); }

bool Run::repeats_steps() const { return config_.step_graph && ranks().is_alone(); }

std::string Run::early_end() const {
  return state_.step >= loader_.total_steps() ? "" : end_.reason;
}

RunView Run::view(const Json& values, const Json& test) const {
  return {*learner_.model,
          *learner_.parameters,
          *learner_.optimizer,
          recorder_->metrics(),
          directory_->folder(),
          state_.step,
          state_.epoch,
          state_.step_in_epoch,
          state_.step - meter_.steps(),
          epochs(),
          state_.step == 0
              ? 0
              : learner_.optimizer->learning_rate() * schedule_->factor(state_.step - 1),
          values,
          test};
}

void Run::call(Callbacks::Hook hook, const Json& values, const Json& test) {
  const RunView now = view(values, test);
  callbacks_.call(hook, now);
  end_ = callbacks_.ending(now);
  agree_on_end();
}

void Run::begin() {
  if (request_.resume) {
    const WithoutTrace without_trace{Modules()};  // the generators are restored already
    call({"resumed", &Callback::resumed});
  } else {
    call({"started", &Callback::started});
  }
  check_alike();
}

void Run::begin_epoch() {
  if (state_.step_in_epoch > 0) {
    loader_.rebuild_order(state_.order_seed);
  } else {
    state_.order_seed = loader_.draw_order();
  }
}

bool Run::has_next_step() const {
  return state_.step_in_epoch < loader_.steps_per_epoch() && state_.step < loader_.total_steps() &&
         end_.reason.empty();
}

std::vector<Batch> Run::next_batches() {
  std::vector<Batch> out = loader_.batches(state_.epoch, state_.step_in_epoch);
  int64_t number = state_.step_in_epoch * options().accumulate;
  for (Batch& batch : out) mixer_->mix(batch, number++);
  return out;
}

double Run::learning_rate() const {
  return learner_.optimizer->learning_rate() * schedule_->factor(state_.step);
}

bool Run::end_step(const Tensor& gradient_norm) {
  // Waits for the device, which later steps do not.
  if (state_.step == 0 && !std::isfinite(meter_.first())) fail_from_the_start();
  meter_.add_step(gradient_norm);
  in_component(learner_.experiment->component(), "after_step",
               [&] { learner_.experiment->after_step(state_.step); });
  directory_->check_there();
  ++state_.step;
  ++state_.step_in_epoch;
  const Json row = state_.step % options().log_every == 0 ? flush_window() : Json();
  call({"step", &Callback::step}, row);
  show_progress();
  if (!has_next_step()) return true;  // the end of the epoch saves and listens
  const bool is_due = poll();
  if (stopped_ != ExitCode::kDone || is_due) save();
  return stopped_ == ExitCode::kDone;
}

// Moves the window's sums to the epoch's, with a row of their means, which is returned.
Json Run::flush_window() {
  if (meter_.steps() == 0) return {};
  state_.window = meter_.sums();
  meter_.reset();
  const auto now = Clock::now();
  const double seconds = std::chrono::duration<double>(now - lap_).count();
  lap_ = now;
  state_.seconds += seconds;
  state_.epoch_seconds += seconds;
  last_loss_ = state_.window.values[0] / static_cast<double>(state_.window.images);
  const Json row = append("step", row_of(state_.window, measures()));
  add(state_.window, state_.total);
  state_.window = zero_sums(learner_.experiment->width());
  if (!all_finite(state_.total.values) || !std::isfinite(state_.total.gradient_norms))
    fail_diverged("the loss is");
  return row;
}

Json Run::append(const char* kind, const Json& row) {
  const int64_t epoch = state_.epoch + 1;
  Json out = {{"kind", kind}, {"epoch", epoch}, {"step", state_.step}};
  out.update(row);
  out["learning_rate"] = learner_.optimizer->learning_rate() * schedule_->factor(state_.step - 1);
  recorder_->append(out);
  callbacks_.row(view(out, {}));
  return out;
}

void Run::fail_diverged(const std::string& what) const {
  const auto newest = checkpointing_.newest();
  const std::string kept = newest && *newest < state_.step
                               ? " The last good checkpoint is " + checkpoint_name(*newest) + "."
                               : "";
  throw Error(
      ExitCode::kDiverged,
      fmt::format("{} not finite by step {} (epoch {}): training has diverged. A lower "
                  "optimizer.lr (now {}), training.clip_norm or schedule.warmup may help.{}",
                  what, state_.step, divide_up(state_.step, loader_.steps_per_epoch()),
                  learner_.optimizer->learning_rate(), kept));
}

// Before the first step nothing that is said of learning rates would help.
void Run::fail_from_the_start() const {
  const std::string& weights = config_.model_options().weights.file.value;
  throw Error(
      ExitCode::kDiverged,
      fmt::format("the loss is not finite at the first step, before any weight was changed: {}",
                  weights.empty()
                      ? "the model or the loss has no finite value for these data, whatever the "
                        "learning rate"
                      : "the weights that this run starts from (" + escape(weights) +
                            ") are of no use for it, whatever the learning rate"));
}

Evaluation Run::evaluate_split(const Batches& data, const std::string& split, bool details) {
  EvaluationOptions options;
  options.split = split;
  options.details = details;
  const Batches train = data_.train->as_evaluated();
  options.train = &train;
  options.batch_size = std::max<int64_t>(config_.training.batch_size, 256);
  options.cancelled = [&] { return agreed_stop(log_) != ExitCode::kDone; };
  return evaluated(*learner_.experiment, data, options);
}

bool Run::end_epoch() {
  const bool whole = state_.step_in_epoch == loader_.steps_per_epoch();
  // Where max_steps cuts an epoch short nothing of its end is kept: it does not end there when the
  // run is taken further.
  if (!whole) save();
  flush_window();
  Evaluation validation;
  if (data_.validation) {
    WithoutTrace without_trace(learner_.modules, components());
    {
      const WeightAverage::InUse in_use(parameters(), callbacks_.tested_weights(),
                                        callbacks_.tested_buffers());
      validation = evaluate_split(*data_.validation, "validation", false);
    }
    // Stopped while it validated: nothing of it counts, and the epoch ends again after the resume.
    stopped_ = agreed_stop(log_);
    if (stopped_ == ExitCode::kDone) without_trace.stay();
  }
  if (data_.validation) {
    if (stopped_ != ExitCode::kDone) {
      if (whole) save();
      return false;
    }
    if (!nonfinite_loss(measures(), "validation", validation.values).empty())
      fail_diverged("the validation loss is");
    note_validation(validation.values);
  }
  Json row = row_of(state_.total, measures());
  row.update(validation.values);
  row["seconds"] = state_.epoch_seconds;
  row["images_per_second"] =
      static_cast<double>(state_.total.images) / std::max(state_.epoch_seconds, 1e-9);
  Json history = append("epoch", row);
  history.erase("kind");
  told().add_epoch(history);
  log_.message(epoch_line(history, measures(), epochs()));
  if (whole) {
    ++state_.epoch;
    state_.step_in_epoch = 0;
    state_.total = zero_sums(learner_.experiment->width());
    state_.epoch_seconds = 0;
    if (data_.validation) schedule_->note_validation(validation.values.at("validation/loss"));
    call({"epoch", &Callback::epoch}, history);
    const bool is_due = poll();
    const bool best = state_.best && state_.best->step == state_.step;
    const bool is_saved = best || complete() || stopped_ != ExitCode::kDone || is_due;
    if (is_saved) {
      save();
    } else {
      check_alike();
    }
  } else {
    cut_short_ = true;
    call({"epoch", &Callback::epoch}, history);
    note_checkpoint();
  }
  recorder_->write_if_cheap();
  lap_ = Clock::now();
  return stopped_ == ExitCode::kDone;
}

void Run::note_validation(const Json& values) {
  const std::string& by = request_.config->best_by;
  state_.note_best(values.at(by), request_.config->metrics.at(by).goal == "max",
                   values.at("validation/loss"));
}

void Run::save() {
  const auto now = Clock::now();
  const double seconds = std::chrono::duration<double>(now - lap_).count();
  RunState state = state_;
  state.seconds += seconds;
  state.epoch_seconds += state.step_in_epoch > 0 ? seconds : 0;
  state.window = meter_.sums();
  // Bad weights are not kept; of a bad loss there is a row.
  if (!all_finite(state.window.values)) flush_window();
  if (!parameters().values().isfinite().all().item<bool>()) fail_diverged("a weight is");
  if (const std::string name = parameters().nonfinite_buffer(); !name.empty())
    fail_diverged("the buffer " + name + " is");
  const Tensor tested = callbacks_.tested_weights();
  if (tested.defined() && !tested.isfinite().all().item<bool>())
    fail_diverged("the average of a weight is");
  check_alike();
  if (!ranks().is_first()) return note_checkpoint();
  recorder_->flush();
  const auto best = state_.best ? std::optional(state_.best->step) : std::nullopt;
  Checkpoint checkpoint = capture(state, learner_, callbacks_, recorder_->rows(), provenance_);
  checkpoint.state[kDescribedModel] = model_;
  checkpointing_.save(directory_->checkpoints(), checkpoint, state.step, best);
  note_checkpoint();
}

// The newest checkpoint holds state_.
void Run::note_checkpoint() {
  checkpointing_.note(state_.step);
  told().last_checkpoint = checkpoint_name(state_.step);
  told().best_checkpoint = checkpoint_name(state_.best ? state_.best->step : state_.step);
}

std::vector<std::shared_ptr<Stateful>> Run::components() const {
  std::vector<std::shared_ptr<Stateful>> out;
  for (MadeComponents::One& one : learner_.components.alive()) out.push_back(std::move(one.it));
  return out;
}

void Run::show_progress() {
  const auto steps_per_second = speed_.at(state_.step);
  if (!steps_per_second) return;
  if (meter_.steps() > 0) last_loss_ = meter_.first() / static_cast<double>(meter_.images());
  const auto per_step = static_cast<double>(options().batch_size * options().accumulate);
  const auto left = static_cast<double>(loader_.total_steps() - state_.step);
  log_.progress({state_.epoch + 1, epochs(), state_.step, loader_.total_steps(), last_loss_,
                 *steps_per_second * per_step, left / std::max(*steps_per_second, 1e-9)});
}

int64_t Run::rehearse_end() {
  constexpr int64_t kFew = 256;
  if (data_.validation) evaluate_split(data_.validation->first(kFew), "validation", false);
  data_.test = data_.test->first(kFew);
  finish();
  if (stopped_ == ExitCode::kDone && ranks().is_first()) load_model(directory_->model());
  return data_.test->size();
}

void Run::finish() {
  if (checkpointing_.newest() != state_.step) save();
  const int64_t tested = state_.best ? state_.best->step : state_.step;
  share_checkpoint(tested);
  const Place file = checkpoint_file(Folder::open(directory_->checkpoints()), tested);
  restore_tested(load_checkpoint(file), learner_, file.shown());
  const bool measures_test = measures_tests(config_, data_.info);
  const Evaluation test = [&] {
    if (!measures_test) return Evaluation();
    const WithoutTrace without_trace(learner_.modules,
                                     components());  // the model is saved after it
    return evaluate_split(*data_.test, "test", true);
  }();
  stopped_ = agreed_stop(log_);
  if (stopped_ != ExitCode::kDone) return;
  if (!nonfinite_loss(measures(), "test", test.values).empty()) fail_diverged("the test loss is");
  directory_->check_there();
  const bool writes = ranks().is_first();
  if (writes) save_model(directory_->model(), *learner_.model, config_, data_.info);
  Json details = Json::object();
  if (measures_test) details = test_json(data_, checkpoint_name(tested), test);
  if (measures_test && writes) {
    write_worst_images(directory_->folder(), details.at("tasks"), test.worst);
    write_file_atomically(directory_->test(), details.dump() + "\n");
    remove_other_worst_images(directory_->folder(), details.at("tasks"));
  }
  Json values = test.values;
  values["checkpoint"] = checkpoint_name(tested);
  told().set_test(values);
  told().summary = summary_of(told(), test.values, state_.seconds);
  call({"finished", &Callback::finished}, test.values, details);
  leave(RunStatus::kFinished);
}

// What "stopped_by" in metrics.json says of a run that ends with this status.
const char* Run::reason_of(RunStatus status) const {
  if (status == RunStatus::kDiverged) return "diverged";
  if (status == RunStatus::kFailed) return "error";
  if (status == RunStatus::kStopped) return stopped_by_limit_ ? "stop_after" : "signal";
  if (!early_end().empty()) return Metrics::reason_of_end(end_.type);
  const auto& limit = options().max_steps;
  return limit && *limit < options().epochs * loader_.steps_per_epoch() ? "max_steps" : "epochs";
}

void Run::leave(RunStatus status) {
  told().set_status(status);
  told().stopped_by = reason_of(status);
  told().finished = utc_now();
  if (directory_->is_there()) recorder_->write();  // else nothing is made in its place
}

}  // namespace vitrine

#include "framework/training/training.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <set>
#include <system_error>
#include <thread>

#include "framework/config/scalar.h"
#include "framework/config/yaml.h"
#include "framework/data/tensor_words.h"
#include "framework/files/file.h"
#include "framework/ranks/ranks.h"
#include "framework/training/backend.h"
#include "framework/training/devices.h"
#include "framework/training/ending.h"
#include "framework/training/loop.h"
#include "framework/training/rank_folder.h"
#include "framework/training/run.h"
#include "framework/training/scratch_folder.h"
#include "framework/training/workload.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

bool is_equal(const Node* a, const Node* b) {
  return a == b || (a && b && to_flow_yaml(*a) == to_flow_yaml(*b));
}

// The keys whose values are not those of `before`.
std::vector<Key> changed_keys(const Node& before, const ResolvedConfig& after) {
  std::vector<Key> out;
  for (const Key& key : after.keys) {
    if (!is_equal(value_at(before, key), value_at(after.resolved, key))) out.push_back(key);
  }
  return out;
}

// What the run told of itself last; none where that is gone or damaged, which is told where it is
// mended. Throws Error(kData) where it cannot be read.
std::optional<Metrics> last_told(const RunDirectory& run) {
  if (!exists(run.metrics())) return std::nullopt;
  try {
    return Metrics::read_alone(run.metrics());
  } catch (const Error& error) {
    if (error.system_code() != 0) throw;
    return std::nullopt;
  }
}

// What the run derived when it began; nothing where its metrics tell nothing.
Derived derived_by(const std::optional<Metrics>& metrics) {
  Derived out;
  if (!metrics) return out;
  try {
    const auto& execution = metrics->execution;
    const auto taken = [&](const char* key) -> std::optional<Execution> {
      if (!execution.contains(key) || !execution[key]["derived"].get<bool>()) return std::nullopt;
      return Execution{key, execution[key]["value"], true, execution[key]["why"]};
    };
    out.device = taken("device");
    out.backend = taken("backend");
    out.threads = taken("threads");
    if (out.device && !out.device->value.is_string()) out.device.reset();
    if (out.backend && out.backend->value != kFused && out.backend->value != kLayers)
      out.backend.reset();
    if (out.threads && !out.threads->value.is_number_integer()) out.threads.reset();
  } catch (const std::exception&) {
    // What is not as it should be is derived anew.
  }
  return out;
}

// "2 threads", and of how many ranks where.
std::string shown_processes(int64_t threads) {
  const std::string out = threads == 1 ? "1 thread" : fmt::format("{} threads", threads);
  if (ranks().is_alone()) return out;
  const std::set<std::string> hosts(ranks().hosts().begin(), ranks().hosts().end());
  std::vector<std::string> names;
  for (const std::string& host : hosts) names.push_back(escape(host));
  return fmt::format("{} in each of {} ranks on {}", out, ranks().count(),
                     some_of(std::move(names), ", "));
}

void announce(const TrainRequest& request, const Run& run, RunLog& log) {
  const Metrics& metrics = run.metrics();
  const Data& data = run.data();
  log.message(fmt::format(
      "{}: {} with {} parameters on {} ({} images of {} x {} x {} to train, {} to validate, {} to "
      "test{}{}), {}, {}",
      request.config->name, metrics.model.at("type").get<std::string>(),
      metrics.model.at("parameters").get<int64_t>(), metrics.dataset.at("type").get<std::string>(),
      metrics.dataset.at("train").get<int64_t>(), data.info.channels, data.info.height,
      data.info.width, metrics.dataset.at("validation").get<int64_t>(),
      metrics.dataset.at("test").get<int64_t>(), data.info.test_has_labels ? "" : " without labels",
      data.columns.empty() ? "" : "; " + data.columns, request.config->device,
      shown_processes(request.config->threads)));
  // Who goes on with a run was told when it began.
  for (const std::string& finding : data.findings) {
    if (!request.resume) log.warning(finding);
  }
  for (const Execution& choice : request.config->execution) {
    if (choice.why.starts_with(kUnusedGpu)) log.warning("training on the cpu: " + choice.why);
  }
}

std::string first_metric(const std::vector<Measure>& measures) {
  return measures.size() > 1 ? measures[1].name : "";
}

void announce_test(const TrainRequest& request, const Run& run, RunLog& log) {
  if (!measures_tests(*request.config->config, run.data().info)) {
    log.message(
        fmt::format("test: nothing to measure: the {} test images have no labels; runner test {} "
                    "--predictions FILE writes what the model says of them",
                    run.data().test->size(), escape(run.directory().path().string())));
    return;
  }
  const auto& test = run.metrics().test;
  const std::vector<Measure>& measures = run.measures();
  std::string line = "test: " + values_text(measures, "test", test);
  for (const Measure& measure : measures) {
    if (measure.task.empty() || measure.is_loss) continue;
    const bool is_usual = measure.name == first_metric(measures);
    line += fmt::format("; {} {}", measure.task + (is_usual ? "" : " " + measure.name),
                        metric_text(test.at(measure.in("test")).get<double>(), measure.info));
  }
  log.message(line);
}

// What is said of a run that stops before its end.
std::string farewell(const TrainRequest& request, const Run& run) {
  if (request.dry_run) return "dry run: stopped; nothing was kept";
  return fmt::format("stopped at step {}; go on with: runner resume {}", run.state().step,
                     escape(run.directory().path().string()));
}

// Tries what would come behind the steps of a dry run, and says what was tried.
std::string rehearsed(Run& run) {
  const int64_t tested = run.rehearse_end();
  return fmt::format(
      "dry run: config, data, model, one step and a test of {} images are sound; nothing was kept",
      tested);
}

// The disk may be full, or the folder gone; what is said is what went wrong first.
void leave_if_possible(Run& run, RunStatus status) {
  try {
    run.leave(status);
  } catch (const Error&) {
  }
}

// What failed in a folder that is no more tells less than that. Whoever removes one begins with
// what is in it.
void check_still_there(const RunDirectory& directory) {
  constexpr int kTimes = 20;
  for (int i = 0; i < kTimes; ++i) {
    directory.check_there();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

// The run of this rank. One that is resumed is taken up by the first, which gives the others what
// they need of it.
std::unique_ptr<Run> make_run(const TrainRequest& request, RunLog& log, Data data,
                              Learner learner) {
  const bool is_shared = request.resume && !ranks().is_alone();
  if (is_shared && !ranks().is_first()) share_run({*request.run_dir, {}, {}});
  auto out = std::make_unique<Run>(request, log, std::move(data), std::move(learner));
  if (!is_shared || !ranks().is_first()) return out;
  const RunState& state = out->state();
  // Without a checkpoint it starts anew.
  if (checkpoint_steps(out->directory().checkpoints()).empty()) {
    share_run({out->directory().path(), {}, {}});
  } else {
    share_run({out->directory().path(), state.step,
               state.best ? std::optional(state.best->step) : std::nullopt});
  }
  return out;
}

TrainResult run_to_the_end(const TrainRequest& request, RunLog& log) {
  const Config& config = *request.config->config;
  if (config.device == "cuda") take_gpu_of_rank();
  check_alike(*request.config);
  if (!request.resume) try_step(config);
  std::optional<Data> data = load_unless_stopped(config, log);
  const auto stop = static_cast<int64_t>(data ? ExitCode::kDone : log.stop_requested());
  if (const int64_t agreed = ranks().largest(stop); agreed != 0) {
    log.message(request.resume ? "stopped before the run went on"
                               : "stopped before the run was made");
    return {static_cast<ExitCode>(agreed), {}, {}};
  }
  check_alike(*data);
  // Who goes on with a run was told when it began.
  for (const std::string& note : request.config->notes) {
    if (!request.resume) log.message(note);
  }
  Learner learner = build_learner(config, data->info, &log);
  if (const std::string warning = told(*learner.experiment, "warning", &Experiment::warning);
      !warning.empty())
    log.warning(warning);
  const std::unique_ptr<Run> made = make_run(request, log, std::move(*data), std::move(learner));
  Run& run = *made;
  TrainResult result;
  result.run = run.directory().path();
  try {
    announce(request, run, log);
    train(run);
    if (const std::string early = run.early_end(); run.stopped() == ExitCode::kDone) {
      if (!early.empty()) log.message(early);
      run.finish();
    }
    if (run.stopped() == ExitCode::kDone) {
      announce_test(request, run, log);
      if (request.dry_run)
        log.message("dry run: config, data, model and all steps are sound; nothing was kept");
    } else {
      const bool is_tried = request.dry_run && agreed_stop(log) == ExitCode::kDone;
      const std::string words = is_tried ? rehearsed(run) : farewell(request, run);
      if (!is_tried) run.leave(RunStatus::kStopped);
      log.message(words);
    }
    result.code = run.stopped();
    result.summary = run.metrics().summary;
  } catch (const Error& error) {
    log.write("error: " + std::string(error.what()));
    leave_if_possible(
        run, error.code() == ExitCode::kDiverged ? RunStatus::kDiverged : RunStatus::kFailed);
    if (error.system_code() == ENOENT) check_still_there(run.directory());
    throw;
  } catch (const std::exception& error) {
    log.write("error: " + std::string(error.what()));
    leave_if_possible(run, RunStatus::kFailed);
    throw;
  }
  if (const auto moved = run.directory().moved_to()) {
    log.warning("the run's folder was moved: it lies in " + escape(moved->string()) + " now");
    result.run = *moved;
  }
  return result;
}

}  // namespace

namespace {

// Whether the command line says something of this key.
bool is_given(const Key& key, const ConfigSource& source) {
  const auto names = [&](const std::string& assignment) {
    std::string path = assignment.substr(0, assignment.find('='));
    if (path.ends_with("+")) path.pop_back();  // "tags+=a" appends
    if (path.ends_with(".type")) path.resize(path.size() - 5);
    return key.path == path || key.path.starts_with(path + ".");
  };
  return std::any_of(source.overrides.begin(), source.overrides.end(), names) ||
         std::any_of(source.unset.begin(), source.unset.end(), names);
}

std::string config_sha256_of(const std::optional<Metrics>& metrics) {
  return metrics ? metrics->config_sha256 : "";
}

Node read_config(const RunDirectory& run, const std::optional<Metrics>& metrics) {
  return read_yaml(run.current_config(config_sha256_of(metrics)).path());
}

}  // namespace

std::shared_ptr<const ResolvedConfig> resolve_resumed(const fs::path& folder, ConfigSource source) {
  const RunDirectory run = RunDirectory::open(folder);
  const std::optional<Metrics> metrics = last_told(run);
  if (source.file.empty()) source.file = run.current_config(config_sha256_of(metrics)).path();
  const std::string file = shown_config(source.file);
  Node before = read_config(run, metrics);
  Node written = load_config(source, known_keys);
  // Without a checkpoint the run starts anew.
  const bool loads_weights = checkpoint_steps(run.checkpoints()).empty();
  auto out = std::make_shared<ResolvedConfig>(
      *resolve(std::move(written), file, loads_weights, derived_by(metrics)));
  before = with_defaults(before);  // an option that the run's program had not was at its default
  for (const Key& key : out->keys) {
    const Node *from = value_at(before, key), *to = value_at(out->resolved, key);
    if (is_equal(from, to) && !is_given(key, source)) continue;
    out->asked.insert(key.path);
    if (is_equal(from, to) || may_change(key, from, to)) continue;
    throw Error(ExitCode::kCheckpoint,
                fmt::format("{}: {}{} cannot change in a run under way; start a new run for it",
                            escape(file), key.path, key.is_type ? ".type" : ""));
  }
  return out;
}

namespace {

// Whether the run has reached the end that this config gives it, which is then told.
bool says_nothing_left(const TrainRequest& request, Observer& observer) {
  const RunDirectory run = RunDirectory::open(*request.run_dir);
  const std::optional<Metrics> metrics = last_told(run);
  if (!metrics || metrics->status != RunStatus::kFinished) return false;
  std::vector<std::string> changes;
  bool of_results = false;
  for (const Key& key : changed_keys(with_defaults(read_config(run, metrics)), *request.config)) {
    if (key.role == Role::kPlace || key.role == Role::kExecution) continue;
    changes.push_back(key.path);
    of_results |= key.role == Role::kResult;
  }
  if (!changes.empty() && !of_results) return false;  // a note is taken without a step as well
  std::string left = nothing_left(request, changes);
  if (left.empty() && changes.empty()) left = escape(request.run_dir->string()) + " is finished";
  if (left.empty()) return false;
  if (changes.empty()) {
    observer.message(left);
  } else {
    observer.warning(fmt::format("{}; without effect: {}", left, fmt::join(changes, ", ")));
  }
  return true;
}

}  // namespace

TrainResult train(const TrainRequest& request, Observer& observer) {
  RunLog log(observer);
  if (request.resume) {
    const bool is_done = ranks().is_first() && says_nothing_left(request, observer);
    if (ranks().largest(is_done ? 1 : 0) != 0) {
      return {ExitCode::kDone, *request.run_dir,
              last_told(RunDirectory::open(*request.run_dir)).value().summary};
    }
  }
  const bool is_first = ranks().is_first();
  if (is_first && !request.dry_run) return run_to_the_end(request, log);
  if (is_first && request.run_dir && !request.resume) RunDirectory::refuse_used(*request.run_dir);
  const ScratchFolder scratch(request.dry_run ? "the dry run" : "a rank");
  TrainRequest own = request;
  own.run_dir = scratch.path() / "run";
  if (request.dry_run) {
    own.resume = false;  // what is tried is a run of its own
    own.stop_after = 1;
  }
  TrainResult result = run_to_the_end(own, log);
  if (request.dry_run) result.code = agreed_stop(log);
  result.run.clear();
  return result;
}

}  // namespace vitrine

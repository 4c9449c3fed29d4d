#include "framework/training/training.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <cerrno>
#include <system_error>

#include "framework/config/yaml.h"
#include "framework/files/file.h"
#include "framework/training/run.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

bool under(const std::string& path, const std::string& parent) {
  return path == parent || path.starts_with(parent + ".");
}

bool under_any(const std::string& path, std::initializer_list<const char*> parents) {
  for (const char* parent : parents) {
    if (under(path, parent)) return true;
  }
  return false;
}

// Options of data sets that tell where to find the data, not which.
bool is_place_of_data(const std::string& path) {
  return under_any(path, {"dataset.path", "dataset.root", "dataset.mirrors", "dataset.download"});
}

// Paths of leaves whose values differ.
void collect_changes(const Node& before, const Node& after, const std::string& path,
                     std::vector<std::string>& out) {
  if (before.is_mapping() && after.is_mapping()) {
    for (const Node& child : after.children) {
      const Node* old = before.find(child.key);
      const std::string below = join_path(path, child.key);
      old ? collect_changes(*old, child, below, out) : out.push_back(below);
    }
  } else if (to_flow_yaml(before) != to_flow_yaml(after)) {
    out.push_back(path);
  }
}

// A folder of its own for a dry run, gone afterwards.
class ScratchFolder {
 public:
  ScratchFolder() {
    const char* given = getenv("TMPDIR");
    const fs::path root = given && *given ? given : "/tmp";
    std::string name = (root / "vitrine-XXXXXX").string();
    if (!mkdtemp(name.data())) {
      throw Error(
          ExitCode::kFailed,
          fmt::format("cannot make a folder for the dry run in {} ({}): {}", escape(root.string()),
                      given && *given ? "TMPDIR" : "TMPDIR is not set",
                      std::generic_category().message(errno)));
    }
    path_ = name;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  fs::path path() const { return path_; }

 private:
  fs::path path_;
};

void announce(const TrainRequest& request, const Run& run, RunLog& log) {
  const Metrics& metrics = run.metrics();
  log.message(fmt::format(
      "{}: {} with {} parameters on {} ({} images to train, {} to validate, {} to test), {}, {}",
      request.config->name, metrics.model.at("type").get<std::string>(),
      metrics.model.at("parameters").get<int64_t>(), metrics.dataset.at("type").get<std::string>(),
      metrics.dataset.at("train").get<int64_t>(), metrics.dataset.at("validation").get<int64_t>(),
      metrics.dataset.at("test").get<int64_t>(), request.config->device,
      request.config->threads == 1 ? "1 thread"
                                   : fmt::format("{} threads", request.config->threads)));
}

void announce_test(const Run& run, RunLog& log) {
  const auto& test = run.metrics().test;
  std::string line =
      fmt::format("test: loss {:.4f}, accuracy {:.2f} %", test.at("test/loss").get<double>(),
                  100 * test.at("test/accuracy").get<double>());
  for (const Task& task : const_cast<Run&>(run).objective().tasks()) {
    const auto found = test.find(metric_name("test", "accuracy", task.name));
    if (found != test.end())
      line += fmt::format("; {} {:.2f} %", task.name, 100 * found->get<double>());
  }
  log.message(line);
}

// What is said of a run that stops before its end.
std::string farewell(const TrainRequest& request, const Run& run, RunLog& log) {
  if (!request.dry_run) {
    return fmt::format("stopped at step {}; go on with: runner resume {}", run.state().step,
                       escape(run.directory().path().string()));
  }
  return log.stop_requested() == ExitCode::kDone
             ? "dry run: config, data, model and one step are sound; nothing was kept"
             : "dry run: stopped; nothing was kept";
}

TrainResult run_to_the_end(const TrainRequest& request, RunLog& log) {
  const Config& config = *request.config->config;
  std::optional<Data> data = load_unless_stopped(config, log);
  if (!data) {
    log.message(request.resume ? "stopped before the run went on"
                               : "stopped before the run was made");
    return {log.stop_requested(), {}, {}};
  }
  Learner learner = build_learner(config, data->info);
  if (const std::string warning = learner.loss->warning(); !warning.empty()) log.warning(warning);
  Run run(request, log, std::move(*data), std::move(learner));
  TrainResult result;
  result.run = run.directory().path();
  try {
    announce(request, run, log);
    config.experiment.create({})->train(run);
    if (run.stopped() == ExitCode::kDone) run.finish();
    if (run.stopped() == ExitCode::kDone) {
      announce_test(run, log);
      if (request.dry_run)
        log.message("dry run: config, data, model and all steps are sound; nothing was kept");
    } else {
      run.leave(RunStatus::kStopped);
      log.message(farewell(request, run, log));
    }
    result.code = run.stopped();
    result.summary = run.metrics().summary;
  } catch (const Error& error) {
    log.write("error: " + std::string(error.what()));
    try {
      run.leave(error.code() == ExitCode::kDiverged ? RunStatus::kDiverged : RunStatus::kFailed);
    } catch (const Error&) {
      // The disk may be full; what is said is what went wrong first.
    }
    throw;
  } catch (const std::exception& error) {
    log.write("error: " + std::string(error.what()));
    run.leave(RunStatus::kFailed);
    throw;
  }
  return result;
}

}  // namespace

std::shared_ptr<const ResolvedConfig> resolve_resumed(const fs::path& folder, ConfigSource source) {
  const RunDirectory run = RunDirectory::open(folder);
  if (source.file.empty()) source.file = run.config();
  const std::string file = source.file.string();
  const Node before = read_yaml(run.config());
  Node written = load_config(source);
  // Without a checkpoint the run starts anew.
  const bool loads_weights = checkpoint_steps(run.checkpoints()).empty();
  auto out = std::make_shared<ResolvedConfig>(*resolve(std::move(written), file, loads_weights));
  std::vector<std::string> changes;
  collect_changes(before, out->resolved, "", changes);
  for (const std::string& path : changes) {
    if (is_place_of_data(path)) continue;  // the SHA-256 of what lies there decides
    if (under_any(path, {"note", "tags", "training.epochs", "training.max_steps",
                         "training.checkpoint", "threads", "device", "plugins", "model.encoder"})) {
      continue;  // neither data nor shapes nor numbers depend on these, or the run itself compares
                 // what they lead to
    }
    if (under_any(path, {"optimizer.type", "seed", "name", "dataset", "model", "loss", "experiment",
                         "training.batch_size", "training.accumulate", "training.overfit_batches",
                         "training.ema_decay"})) {
      throw Error(ExitCode::kCheckpoint,
                  fmt::format("{}: {} cannot change in a run under way; start a new run for it",
                              escape(file), path));
    }
    out->inexact_changes.push_back(path);
  }
  return out;
}

// Whether the run has reached the end that this very config gives it.
bool is_finished(const TrainRequest& request) {
  const RunDirectory run = RunDirectory::open(*request.run_dir);
  if (!fs::exists(run.metrics()) || Metrics::of_run(run.metrics()).status != RunStatus::kFinished)
    return false;
  std::vector<std::string> changes;
  collect_changes(read_yaml(run.config()), request.config->resolved, "", changes);
  // "auto" and the encoder that it chose are the same.
  std::erase_if(changes, [](const std::string& path) {
    return under(path, "model.encoder") || is_place_of_data(path);
  });
  return changes.empty();
}

TrainResult train(const TrainRequest& request, Observer& observer) {
  RunLog log(observer);
  if (request.resume && is_finished(request)) {
    observer.message(fmt::format("{} is finished; training.epochs=N takes it further",
                                 escape(request.run_dir->string())));
    return {ExitCode::kDone, *request.run_dir,
            Metrics::of_run(RunDirectory::open(*request.run_dir).metrics()).summary};
  }
  if (!request.dry_run) return run_to_the_end(request, log);
  if (request.run_dir && !request.resume) RunDirectory::refuse_used(*request.run_dir);
  const ScratchFolder scratch;
  TrainRequest trial = request;
  trial.run_dir = scratch.path() / "run";
  trial.resume = false;  // what is tried is a run of its own
  trial.stop_after = 1;
  TrainResult result = run_to_the_end(trial, log);
  result.code = log.stop_requested();
  result.run.clear();
  return result;
}

}  // namespace vitrine

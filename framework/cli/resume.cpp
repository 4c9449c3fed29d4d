#include "framework/cli/sweep.h"
#include "framework/cli/terminal.h"
#include "framework/cli/training.h"
#include "framework/cli/verbs.h"

namespace vitrine {

namespace {

struct Options {
  std::string place;
  SweepRun sweep;
};

ExitCode resume_sweep(const Options& options, const TrainingCommand& command) {
  if (command.changes_config()) {
    throw Error(ExitCode::kUsage,
                "the trials of a sweep cannot change under way; runner resume takes --jobs, "
                "--retry-failed and --json for a sweep");
  }
  install_signal_handlers();
  Sweep sweep = Sweep::open(options.place);
  sweep.lock();
  SweepRun run = options.sweep;
  run.json = command.json();
  return run_sweep(sweep, run);
}

ExitCode resume(const Options& options, const TrainingCommand& command) {
  if (holds_sweep(options.place)) return resume_sweep(options, command);
  if (options.sweep.retry_failed || options.sweep.jobs > 0) {
    throw Error(ExitCode::kUsage, "--retry-failed and --jobs are for sweeps; " +
                                      escape(options.place) + " holds none");
  }
  install_signal_handlers();
  TrainRequest request;
  request.config = engine().resolve_resumed(options.place, command.source({}));
  request.run_dir = options.place;
  request.resume = true;
  return command.run(std::move(request));
}

}  // namespace

Action resume_verb(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("RUN", options->place, "folder of the run or the sweep")->required();
  auto command = std::make_shared<TrainingCommand>(app);
  app.add_option("--jobs", options->sweep.jobs, "of a sweep: trials at a time")
      ->transform(at_least_one());
  app.add_flag("--retry-failed", options->sweep.retry_failed,
               "of a sweep: run the trials that failed or diverged again");
  return [options, command] { return resume(*options, *command); };
}

}  // namespace vitrine

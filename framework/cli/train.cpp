#include "framework/cli/terminal.h"
#include "framework/cli/training.h"
#include "framework/cli/verbs.h"
#include "framework/runs/run_directory.h"
#include "framework/sweeps/sweep.h"

namespace vitrine {

namespace {

struct TrainOptions {
  std::string config, run_dir;
  bool resume = false, dry_run = false;
};

ExitCode train(const TrainOptions& options, const TrainingCommand& command) {
  join_ranks_quietly();
  if (options.resume && options.run_dir.empty()) {
    throw Error(ExitCode::kUsage,
                "--resume needs --run-dir DIR, the run to go on with; or use: runner resume RUN");
  }
  if (holds_sweep(options.run_dir)) {
    throw Error(ExitCode::kUsage,
                escape(options.run_dir) + " holds a sweep; name another directory with --run-dir");
  }
  install_signal_handlers();
  const ConfigSource source = command.source(options.config);
  TrainRequest request;
  request.resume = options.resume && holds_run(options.run_dir);
  request.config =
      request.resume ? engine().resolve_resumed(options.run_dir, source) : engine().resolve(source);
  if (!options.run_dir.empty()) request.run_dir = options.run_dir;
  request.dry_run = options.dry_run;
  return command.run(std::move(request));
}

}  // namespace

Action train_verb(CLI::App& app) {
  auto options = std::make_shared<TrainOptions>();
  app.add_option("CONFIG", options->config, "YAML file of the experiment, or - for standard input")
      ->transform(path_option())
      ->required();
  auto command = std::make_shared<TrainingCommand>(app);
  app.add_option("--run-dir", options->run_dir,
                 "folder of the run; default runs/<name>/<time>-<id>")
      ->transform(path_option());
  app.add_flag("--resume", options->resume, "go on if --run-dir holds a run, else start it");
  app.add_flag("--dry-run", options->dry_run,
               "check config, data and model with one step; keep nothing");
  return [options, command] { return train(*options, *command); };
}

}  // namespace vitrine

#include "framework/cli/sweep.h"
#include "framework/cli/terminal.h"
#include "framework/cli/training.h"
#include "framework/cli/verbs.h"
#include "framework/sweeps/best.h"

namespace vitrine {

namespace {

struct ResumeOptions {
  std::string place;
  bool retry_failed = false;
};

ExitCode resume_sweep(const ResumeOptions& options, const TrainingCommand& command,
                      const SweepCommand& of_sweep) {
  if (command.changes_config()) {
    throw Error(ExitCode::kUsage,
                "the trials of a sweep cannot change under way; runner resume takes "
                "--jobs, --retry-failed, --confirm and --json for a sweep");
  }
  install_signal_handlers();
  Sweep sweep = Sweep::open(options.place);
  sweep.lock();
  return of_sweep.run(sweep, options.retry_failed, command.json());
}

ExitCode resume(const ResumeOptions& options, const TrainingCommand& command,
                const SweepCommand& of_sweep) {
  if (holds_sweep(options.place)) return resume_sweep(options, command, of_sweep);
  if (!std::filesystem::exists(options.place)) refuse_sweep(options.place);
  if (options.retry_failed || of_sweep.is_given()) {
    throw Error(ExitCode::kUsage, "--retry-failed, --jobs and --confirm are for sweeps; " +
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
  auto options = std::make_shared<ResumeOptions>();
  app.add_option("RUN", options->place, "folder of the run or the sweep")->required();
  auto command = std::make_shared<TrainingCommand>(app);
  auto of_sweep = std::make_shared<SweepCommand>(app);
  app.add_flag("--retry-failed", options->retry_failed,
               "run the trials of a sweep that failed or diverged again");
  return [options, command, of_sweep] { return resume(*options, *command, *of_sweep); };
}

}  // namespace vitrine

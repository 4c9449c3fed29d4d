#include <fmt/format.h>

#include "framework/cli/sweep.h"
#include "framework/cli/terminal.h"
#include "framework/cli/training.h"
#include "framework/cli/verbs.h"
#include "framework/files/place.h"
#include "framework/ranks/ranks.h"
#include "framework/registry/given_plugins.h"
#include "framework/sweeps/best.h"
#include "framework/sweeps/frozen_code.h"

namespace vitrine {

namespace {

struct ResumeOptions {
  std::string place;
  bool retry_failed = false;
};

// A sweep runs its own copies of the program and of plug-ins, wherever these came from.
void tell_of_frozen_code(const Sweep& sweep) {
  const std::filesystem::path program = sweep.program();
  const CodeOfSweep code = require_trusted_code(program.parent_path());
  std::error_code error;
  if (std::filesystem::equivalent("/proc/self/exe", program, error)) return;  // it was told
  if (!code.is_this_program && std::filesystem::exists(program, error))
    print_aside("running the sweep's own copy of the program, " + escape(program.string()));
  for (const auto& plugin : code.plugins)
    print_aside("its trials load the plug-in " + escape(plugin.string()));
  for (const std::string& warning : code.warnings) print_warning(warning);
}

ExitCode resume_sweep(const ResumeOptions& options, const TrainingCommand& command,
                      const SweepCommand& of_sweep) {
  if (command.changes_config()) {
    throw Error(ExitCode::kUsage,
                "the trials of a sweep cannot change under way; runner resume takes more seeds "
                "(seed=0..9), values and sweep.trials, --jobs, --retry-failed, --confirm and "
                "--json for a sweep");
  }
  install_signal_handlers();
  const bool grows = !command.assignments().empty();
  if (!grows && !given_plugins().empty()) {
    throw Error(ExitCode::kUsage,
                "--plugin has no effect: the trials of a sweep load its own copies of plug-ins; "
                "values that are added to it may need another one");
  }
  if (grows) become_frozen_program(options.place);
  Sweep sweep = Sweep::open_locked(options.place);
  // Cells that are proposed are completed by the code that runs them.
  if (sweep.to_come() > 0) become_frozen_program(options.place);
  tell_of_frozen_code(sweep);
  std::optional<Growth> growth;
  if (grows) {
    growth = grow_sweep(sweep, command.assignments(), of_sweep, command.json());
    if (!growth) return requested_stop();
  }
  for (const std::string& wrong : sweep.mend(options.retry_failed)) print_warning(wrong);
  return of_sweep.run(sweep, options.retry_failed, command.json(), growth,
                      /*looks_for_data=*/!grows);
}

ExitCode resume(const ResumeOptions& options, const TrainingCommand& command,
                const SweepCommand& of_sweep) {
  join_ranks_quietly();
  if (holds_sweep(options.place)) {
    if (!ranks().is_alone()) {
      throw Error(ExitCode::kUsage, escape(options.place) +
                                        " holds a sweep, which starts processes of its own: go on "
                                        "with it without mpirun and srun");
    }
    return resume_sweep(options, command, of_sweep);
  }
  if (!exists(options.place)) refuse_sweep(options.place);
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
  app.add_option("RUN", options->place, "folder of the run or the sweep")
      ->transform(path_option())
      ->required();
  auto command = std::make_shared<TrainingCommand>(app);
  auto of_sweep = std::make_shared<SweepCommand>(app);
  app.add_flag("--retry-failed", options->retry_failed,
               "run the trials of a sweep that failed or diverged again");
  return [options, command, of_sweep] { return resume(*options, *command, *of_sweep); };
}

}  // namespace vitrine

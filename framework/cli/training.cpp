#include "framework/cli/training.h"

#include "framework/cli/terminal.h"
#include "framework/cli/verbs.h"
#include "framework/ranks/ranks.h"

namespace vitrine {

TrainingCommand::TrainingCommand(CLI::App& app) {
  // CLI11 takes no "=" in a name from version 2.4 on.
  app.add_option("OVERRIDE", changes_.overrides,
                 "key=value: values that replace the config's, such as optimizer.lr=0.01");
  app.add_option("--unset", changes_.unset, "take a key of the config back to its default")
      ->allow_extra_args(false);
  add_plugin_option(app);
  app.add_option("--device", device_, "auto, cpu, cuda or mps");
  app.add_option("--threads", threads_, "threads on the CPU")->transform(at_least_one());
  app.add_option("--stop-after", stop_after_, "stop, resumably, after this step (exit code 75)")
      ->transform(at_least_one());
  app.add_flag("--json", json_, "print the result as JSON");
}

ConfigSource TrainingCommand::source(const std::filesystem::path& config) const {
  ConfigSource out = changes_;
  out.file = config;
  if (!device_.empty()) out.overrides.push_back("device=" + device_);
  if (threads_ > 0) out.overrides.push_back("threads=" + std::to_string(threads_));
  return out;
}

bool TrainingCommand::changes_config() const {
  return !changes_.unset.empty() || !device_.empty() || threads_ > 0 || stop_after_ > 0;
}

void join_ranks_quietly() {
  join_ranks();
  if (!ranks().is_first()) print_nothing();
}

ExitCode TrainingCommand::run(TrainRequest request) const {
  if (stop_after_ > 0) request.stop_after = stop_after_;
  if (request.dry_run && request.stop_after)
    throw Error(ExitCode::kUsage, "--stop-after has no effect: a dry run ends after one step");
  request.command = command_line();
  engine().set_threads(request.config->threads);
  Console console(json_);
  const TrainResult result = engine().train(request, console);
  if (json_) {
    print_json({{"run", result.run.string()},
                {"exit_code", static_cast<int>(result.code)},
                {"summary", result.summary}});
  } else if (!result.run.empty()) {
    console.message("run: " + escape(result.run.string()));
  }
  return result.code;
}

}  // namespace vitrine

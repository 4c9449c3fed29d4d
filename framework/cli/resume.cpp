#include "framework/cli/terminal.h"
#include "framework/cli/training.h"
#include "framework/cli/verbs.h"

namespace vitrine {

namespace {

ExitCode resume(const std::string& run, const TrainingCommand& command) {
  install_signal_handlers();
  TrainRequest request;
  request.config = engine().resolve_resumed(run, command.source({}));
  request.run_dir = run;
  request.resume = true;
  return command.run(std::move(request));
}

}  // namespace

Action resume_verb(CLI::App& app) {
  auto run = std::make_shared<std::string>();
  app.add_option("RUN", *run, "folder of the run")->required();
  auto command = std::make_shared<TrainingCommand>(app);
  return [run, command] { return resume(*run, *command); };
}

}  // namespace vitrine

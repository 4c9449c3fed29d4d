#include "framework/cli/terminal.h"
#include "framework/cli/verbs.h"

namespace vitrine {

namespace {

struct Options {
  std::string run;
  std::vector<std::string> overrides;
  int64_t stop_after = 0;
};

ExitCode resume(const Options& options) {
  install_signal_handlers();
  TrainRequest request;
  request.config = engine().resolve_resumed(options.run, {{}, options.overrides, {}});
  request.run_dir = options.run;
  request.resume = true;
  if (options.stop_after > 0) request.stop_after = options.stop_after;
  request.command = command_line();
  engine().set_threads(request.config->threads);
  Console console;
  const TrainResult result = engine().train(request, console);
  console.message("run: " + escape(result.run.string()));
  return result.code;
}

}  // namespace

Action resume_verb(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("RUN", options->run, "folder of the run")->required();
  app.add_option("key=value", options->overrides,
                 "what may change in a run under way, such as training.epochs=20");
  app.add_option("--stop-after", options->stop_after,
                 "stop, resumably, after this step (exit code 75)")
      ->transform(at_least_one());
  return [options] { return resume(*options); };
}

}  // namespace vitrine

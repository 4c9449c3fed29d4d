#include <unistd.h>

#include "framework/cli/terminal.h"
#include "framework/cli/verbs.h"
#include "framework/runs/run_directory.h"

namespace vitrine {

namespace {

struct Options {
  ConfigSource source;
  std::string run_dir, device;
  int64_t threads = 0, stop_after = 0;
  bool resume = false, dry_run = false, json = false;
};

ExitCode train(Options options) {
  if (!options.device.empty()) options.source.overrides.push_back("device=" + options.device);
  if (options.threads > 0)
    options.source.overrides.push_back("threads=" + std::to_string(options.threads));
  if (options.resume && options.run_dir.empty()) {
    throw Error(ExitCode::kUsage,
                "--resume needs --run-dir DIR, the run to go on with; or use: runner resume RUN");
  }
  install_signal_handlers();
  TrainRequest request;
  request.resume = options.resume && holds_run(options.run_dir);
  request.config = request.resume ? engine().resolve_resumed(options.run_dir, options.source)
                                  : engine().resolve(options.source);
  if (!options.run_dir.empty()) request.run_dir = options.run_dir;
  if (options.stop_after > 0) request.stop_after = options.stop_after;
  request.dry_run = options.dry_run;
  request.command = command_line();
  engine().set_threads(request.config->threads);
  Console console(options.json);
  const TrainResult result = engine().train(request, console);
  if (options.json) {
    print(nlohmann::ordered_json{{"run", result.run.string()},
                                 {"exit_code", static_cast<int>(result.code)},
                                 {"summary", result.summary}}
              .dump(2));
  } else if (!result.run.empty()) {
    console.message("run: " + escape(result.run.string()));
  }
  return result.code;
}

}  // namespace

Action train_verb(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("CONFIG", options->source.file, "YAML file of the experiment")->required();
  app.add_option("key=value", options->source.overrides,
                 "values that replace the config's, such as optimizer.lr=0.01");
  app.add_option("--unset", options->source.unset, "take a key of the config back to its default")
      ->allow_extra_args(false);
  app.add_option("--run-dir", options->run_dir,
                 "folder of the run; default runs/<name>/<time>-<id>");
  app.add_flag("--resume", options->resume, "go on if --run-dir holds a run, else start it");
  app.add_flag("--dry-run", options->dry_run,
               "check config, data and model with one step; keep nothing");
  app.add_option("--device", options->device, "auto, cpu, cuda or mps");
  app.add_option("--threads", options->threads, "threads on the CPU")->transform(at_least_one());
  app.add_option("--stop-after", options->stop_after,
                 "stop, resumably, after this step (exit code 75)")
      ->transform(at_least_one());
  app.add_flag("--json", options->json, "print the result as JSON");
  return [options] { return train(*options); };
}

}  // namespace vitrine

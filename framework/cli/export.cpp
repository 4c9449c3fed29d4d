#include "framework/cli/terminal.h"
#include "framework/cli/verbs.h"
#include "framework/engine/engine.h"
#include "framework/runs/run_directory.h"
#include "framework/sweeps/best.h"

namespace vitrine {

namespace {

struct ExportOptions {
  std::string run, file, layout = "native";
  WeightsSource weights;
};

}  // namespace

Action export_verb(CLI::App& app) {
  auto options = std::make_shared<ExportOptions>();
  app.add_option("RUN-OR-MODEL", options->run, "folder of a run, or a model.safetensors")
      ->transform(path_option())
      ->required();
  app.add_option("FILE", options->file, "safetensors file to write")
      ->transform(path_option())
      ->required();
  app.add_option("--layout", options->layout,
                 "whose names and shapes: native, tutorial, timm, huggingface")
      ->capture_default_str();
  app.add_option("--checkpoint", options->weights.checkpoint,
                 "best, last, or a step of the run; default: what it tested");
  return [options] {
    refuse_sweep(options->run);
    refuse_file_of_run(options->file);
    options->weights.path = options->run;
    engine().export_weights(options->weights, options->file, options->layout);
    print("wrote " + escape(options->file) + " in the layout " + options->layout);
    return ExitCode::kDone;
  };
}

}  // namespace vitrine

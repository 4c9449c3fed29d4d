#include "framework/cli/export_tensorboard.h"
#include "framework/cli/terminal.h"
#include "framework/cli/verbs.h"
#include "framework/engine/engine.h"
#include "framework/runs/run_directory.h"
#include "framework/sweeps/best.h"

namespace vitrine {

namespace {

struct ExportOptions {
  std::vector<std::string> places;
  std::string layout = "native", to, input = "uint8";
  WeightsSource weights;
  OnnxOptions onnx;
  std::vector<CLI::Option*> of_weights, of_onnx;
};

void require_two(const std::vector<std::string>& places) {
  if (places.size() < 2) throw Error(ExitCode::kUsage, "FILE is required: RUN-OR-MODEL FILE");
  if (places.size() == 2) return;
  throw Error(ExitCode::kUsage, "weights of one run are exported at a time: RUN-OR-MODEL FILE");
}

ExitCode export_weights(ExportOptions& options) {
  require_two(options.places);
  const std::string &run = options.places[0], &file = options.places[1];
  refuse_sweep(run);
  refuse_file_of_run(file);
  options.weights.path = run;
  const bool is_onnx = file.ends_with(".onnx");
  for (const CLI::Option* option : is_onnx ? options.of_weights : options.of_onnx) {
    if (option->count() == 0) continue;
    throw Error(ExitCode::kUsage,
                fmt::format("{} is of {}", option->get_name(),
                            is_onnx ? "weights, and a name that ends in .onnx asks for the model"
                                    : "models in ONNX, whose name ends in .onnx"));
  }
  if (is_onnx) {
    options.onnx.takes_floats = options.input == "float32";
    print("wrote " + escape(file) + ": " +
          engine().export_onnx(options.weights, file, options.onnx));
    return ExitCode::kDone;
  }
  engine().export_weights(options.weights, file, options.layout);
  print("wrote " + escape(file) + " in the layout " + options.layout);
  return ExitCode::kDone;
}

ExitCode export_runs(ExportOptions& options) {
  if (options.places.size() < 2)
    throw Error(ExitCode::kUsage, "DIR is required: RUN... DIR --to tensorboard");
  const std::string folder = options.places.back();
  options.places.pop_back();
  return export_to_tensorboard(options.places, folder);
}

}  // namespace

Action export_verb(CLI::App& app) {
  auto options = std::make_shared<ExportOptions>();
  app.add_option(
         "RUN-OR-MODEL", options->places,
         "folder of a run, or a model.safetensors, then the FILE to write: weights as "
         "safetensors, or NAME.onnx, the model with its weights for ONNX; "
         "with --to tensorboard runs, or folders with runs or of a sweep, then a folder DIR")
      ->transform(path_option())
      ->required();
  auto* layout = app.add_option("--layout", options->layout,
                                "whose names and shapes: native, tutorial, timm, huggingface")
                     ->capture_default_str();
  auto* checkpoint = app.add_option("--checkpoint", options->weights.checkpoint,
                                    "best, last, or a step of the run; default: what it tested");
  auto* opset = app.add_option("--opset", options->onnx.opset,
                               "of NAME.onnx: the version of ONNX' operators, 17 to 23")
                    ->check(CLI::Range(17, 23))
                    ->capture_default_str();
  auto* input = app.add_option("--input", options->input,
                               "of NAME.onnx: images as uint8, which it normalizes itself, or as "
                               "float32, as they are after all transforms")
                    ->check(CLI::IsMember({"uint8", "float32"}))
                    ->capture_default_str();
  options->of_weights = {layout};
  options->of_onnx = {opset, input};
  add_plugin_option(app);
  app.add_option("--to", options->to, "what runs tell in place of weights: tensorboard")
      ->check(CLI::IsMember({"tensorboard"}))
      ->excludes(layout)
      ->excludes(opset)
      ->excludes(input)
      ->excludes(checkpoint);
  return
      [options] { return options->to.empty() ? export_weights(*options) : export_runs(*options); };
}

}  // namespace vitrine

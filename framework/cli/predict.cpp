#include <fmt/format.h>

#include "framework/cli/terminal.h"
#include "framework/cli/verbs.h"
#include "framework/sweeps/best.h"

namespace vitrine {

namespace {

using Json = nlohmann::ordered_json;

struct PredictOptions {
  WeightsSource weights;
  std::string place;
  std::vector<std::string> images;
  bool invert = false, json = false;
};

ExitCode predict(PredictOptions options) {
  refuse_sweep(options.place);
  options.weights.path = options.place;
  engine().set_threads(1);
  Console console(options.json);
  const Json answers = engine().predict(options.weights, options.images, options.invert, console);
  if (options.json) {
    print_json(answers);
    return ExitCode::kDone;
  }
  std::vector<std::vector<std::string>> rows = {{"image", "task", "class", "probability"}};
  for (const Json& answer : answers) {
    for (const Json& task : answer.at("tasks")) {
      rows.push_back({escape(answer.at("image").get<std::string>()), task.at("task"),
                      escape(task.at("class").get<std::string>()),
                      fmt::format("{:.4f}", task.at("probability").get<double>())});
    }
  }
  print(terminal_table(rows));
  return ExitCode::kDone;
}

}  // namespace

Action predict_verb(CLI::App& app) {
  auto options = std::make_shared<PredictOptions>();
  app.add_option("RUN-OR-MODEL", options->place, "folder of a run, or a model.safetensors")
      ->transform(path_option())
      ->required();
  app.add_option("IMAGE", options->images, "PNG files")->transform(path_option())->required();
  app.add_option("--checkpoint", options->weights.checkpoint,
                 "best, last, or a step of the run; default: what it tested");
  app.add_flag("--invert", options->invert,
               "dark strokes on a light ground become light on dark, as in MNIST");
  app.add_flag("--json", options->json, "print JSON, with the probability of every class");
  return [options] { return predict(*options); };
}

}  // namespace vitrine

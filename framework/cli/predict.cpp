#include <fmt/format.h>
#include <fmt/ranges.h>

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

// What a task answers, and how sure it is of it where that is told.
std::pair<std::string, std::string> shown_answer(const Json& task) {
  std::vector<std::string> words, shares;
  if (task.contains("class")) {
    return {escape(task.at("class").get<std::string>()),
            fmt::format("{:.4f}", task.at("probability").get<double>())};
  }
  if (task.contains("labels")) {
    for (const Json& label : task.at("labels")) {
      words.push_back(escape(label.get<std::string>()));
      shares.push_back(fmt::format(
          "{:.4f}", task.at("probabilities").at(label.get<std::string>()).get<double>()));
    }
    if (words.empty()) return {"none", ""};
    return {fmt::format("{}", fmt::join(words, ", ")), fmt::format("{}", fmt::join(shares, ", "))};
  }
  const Json& values = task.at("values");
  for (const auto& [name, value] : values.items()) {
    const std::string number = fmt::format("{:.4f}", value.get<double>());
    words.push_back(values.size() == 1 ? number : escape(name) + " " + number);
  }
  return {fmt::format("{}", fmt::join(words, ", ")), ""};
}

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
  bool all_classes = true;
  for (const Json& answer : answers) {
    for (const Json& task : answer.at("tasks")) all_classes &= task.contains("class");
  }
  std::vector<std::vector<std::string>> rows = {
      {"image", "task", all_classes ? "class" : "answer", "probability"}};
  for (const Json& answer : answers) {
    for (const Json& task : answer.at("tasks")) {
      const auto [text, probability] = shown_answer(task);
      rows.push_back(
          {escape(answer.at("image").get<std::string>()), task.at("task"), text, probability});
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
  add_plugin_option(app);
  app.add_flag("--invert", options->invert,
               "dark strokes on a light ground become light on dark, as in MNIST");
  app.add_flag("--json", options->json, "print JSON, with the probability of every class or label");
  return [options] { return predict(*options); };
}

}  // namespace vitrine

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "framework/cli/terminal.h"
#include "framework/cli/verbs.h"
#include "framework/engine/predictor.h"
#include "framework/registry/given_plugins.h"
#include "framework/sweeps/best.h"

namespace vitrine {

namespace {

using Json = nlohmann::ordered_json;

struct PredictOptions {
  WeightsSource weights;
  std::string place;
  std::vector<std::string> images;
  ImageOptions reading;
  std::string resize, background;
  bool json = false;
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

bool is_unread(const Json& answer) { return answer.contains("error"); }

// Why an image could not be read, without its name before it.
std::string shown_reason(const Json& answer) {
  const std::string reason = answer.at("error"), name = answer.at("image");
  const std::string start = escape(name) + ": ";
  return reason.starts_with(start) ? reason.substr(start.size()) : reason;
}

std::string answers_table(const Json& answers) {
  bool all_classes = true;
  for (const Json& answer : answers) {
    if (is_unread(answer)) continue;
    for (const Json& task : answer.at("tasks")) all_classes &= task.contains("class");
  }
  std::vector<std::vector<std::string>> rows = {
      {"image", "task", all_classes ? "class" : "answer", "probability"}};
  for (const Json& answer : answers) {
    const std::string name = escape(answer.at("image").get<std::string>());
    if (is_unread(answer)) {
      rows.push_back({name, "", "error: " + shown_reason(answer), ""});
      continue;
    }
    for (const Json& task : answer.at("tasks")) {
      const auto [text, probability] = shown_answer(task);
      rows.push_back({name, task.at("task"), text, probability});
    }
  }
  return terminal_table(rows);
}

ExitCode predict(PredictOptions options) {
  refuse_sweep(options.place);
  options.weights.path = options.place;
  if (!options.resize.empty()) options.reading.resize = resize_mode(options.resize);
  if (!options.background.empty()) {
    const auto colour = parse_colour(options.background);
    if (!colour)
      throw Error(ExitCode::kUsage, fmt::format("--background {}: no colour: it takes {}",
                                                escape(options.background), kColourWords));
    options.reading.background = *colour;
  }
  Console console(options.json);
  const PredictRequest request = {options.weights, options.images, options.reading};
  std::optional<Json> without_engine;
  if (given_plugins().empty()) without_engine = predict_by_program(request, console);
  if (!without_engine) engine().set_threads(1);
  const Json answers = without_engine ? *without_engine : engine().predict(request, console);
  const auto unread = std::count_if(answers.begin(), answers.end(), is_unread);
  const bool is_one = answers.size() == 1 && unread == 1;
  if (options.json) {
    print_json(answers);
  } else if (!is_one) {
    print(answers_table(answers));
  }
  if (unread == 0) return ExitCode::kDone;
  print_error(is_one ? answers[0].at("error").get<std::string>()
                     : fmt::format("{} of {} images could not be read", unread, answers.size()));
  return ExitCode::kData;
}

}  // namespace

Action predict_verb(CLI::App& app) {
  auto options = std::make_shared<PredictOptions>();
  app.add_option("RUN-OR-MODEL", options->place, "folder of a run, or a model.safetensors")
      ->transform(path_option())
      ->required();
  app.add_option("IMAGE", options->images,
                 "JPEG, PNG and WebP files, folders of them, patterns in quotes, or - for standard "
                 "input")
      ->transform(path_option())
      ->required();
  app.add_option("--checkpoint", options->weights.checkpoint,
                 "best, last, or a step of the run; default: what it tested");
  add_plugin_option(app);
  app.add_option("--resize", options->resize,
                 "how other sizes become the model's: stretch, crop or pad; default: as the data "
                 "that it was trained on, else stretch");
  app.add_option("--background", options->background,
                 "colour behind transparent pixels and around padded images: black, grey, white or "
                 "#RRGGBB; default: as the data that it was trained on, else white");
  app.add_flag("--invert", options->reading.invert,
               "dark strokes on a light ground become light on dark, as in MNIST");
  app.add_flag("--center", options->reading.centre,
               "cut a light digit out of its dark ground, scale it and put its centre of mass in "
               "the centre, as in MNIST")
      ->excludes("--resize");
  app.add_flag("--json", options->json, "print JSON, with the probability of every class or label");
  return [options] { return predict(*options); };
}

}  // namespace vitrine

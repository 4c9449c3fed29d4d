#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "framework/cli/terminal.h"
#include "framework/cli/verbs.h"
#include "framework/config/scalar.h"
#include "framework/runs/run_directory.h"
#include "framework/sweeps/best.h"

namespace vitrine {

namespace {

using Json = nlohmann::ordered_json;

struct TestOptions {
  std::string place, checkpoint;
  std::vector<std::string> overrides;
  bool json = false;
};

// "test: loss 0.2808, knn_accuracy 56.22 %": of an experiment without tasks.
std::string shown_values(const Json& result) {
  std::vector<std::string> values;
  for (const auto& [name, info] : result.at("metrics").items()) {
    const double number = result.at(name).is_number() ? result.at(name).get<double>() : NAN;
    values.push_back(name.substr(name.find('/') + 1) + " " +
                     metric_text(number, {info.at("goal"), info.at("unit")}));
  }
  return fmt::format("test: {}\n", fmt::join(values, ", "));
}

std::string shown_scores(const Json& result) {
  std::string out;
  const Json& tasks = result.at("tasks");
  if (tasks.empty()) out = shown_values(result);
  for (const auto& [name, task] : tasks.items()) {
    const bool has_labels = task.contains("labels");
    std::vector<std::vector<std::string>> rows = {
        {has_labels ? "label" : "class", "images", "recall", "precision"}};
    const auto percent = [](const Json& value) {
      return value.is_null() ? "-" : fmt::format("{:.2f} %", 100 * value.get<double>());
    };
    const Json none = Json::array();
    for (const Json& row : has_labels                 ? task.at("labels")
                           : task.contains("classes") ? task.at("classes")
                                                      : none) {
      rows.push_back({escape(row.at("name").get<std::string>()),
                      grouped(row.at("images").get<int64_t>()), percent(row.at("recall")),
                      percent(row.at("precision"))});
    }
    std::vector<std::string> values;
    for (const auto& [metric, value] : task.at("values").items()) {
      const Json& info =
          result.at("metrics").at("test/" + metric + (tasks.size() == 1 ? "" : "." + name));
      const double number = value.is_number() ? value.get<double>() : NAN;
      values.push_back(metric + " " + metric_text(number, {info.at("goal"), info.at("unit")}));
    }
    out += fmt::format("{}: {}\n", escape(name), fmt::join(values, ", "));
    if (rows.size() > 1) out += terminal_table(rows) + "\n";
  }
  return out + fmt::format("weights of {}, {} images", result.at("checkpoint").get<std::string>(),
                           grouped(result.at("images").get<int64_t>()));
}

ExitCode test(const TestOptions& options) {
  refuse_sweep(options.place);
  std::optional<WeightsSource> weights;
  ConfigSource source{options.place, options.overrides, {}};
  if (std::filesystem::is_directory(options.place)) {
    const RunDirectory run = RunDirectory::open(options.place);
    source.file = run.config().path();
    weights = WeightsSource{run.path(), options.checkpoint};
  } else if (!options.checkpoint.empty()) {
    throw Error(
        ExitCode::kUsage,
        "--checkpoint chooses among those of a run; beside a config give model.weights=FILE");
  }
  install_signal_handlers();
  const auto config = engine().resolve_tested(source, weights.has_value());
  engine().set_threads(config->threads);
  Console console(options.json);
  const Json result = engine().test(config, weights, console);
  if (result.is_null()) {
    console.message("stopped before the test was done");
    return console.stop_requested();
  }
  if (!options.json) {
    print(shown_scores(result));
    return ExitCode::kDone;
  }
  print_json(result);
  return ExitCode::kDone;
}

}  // namespace

Action test_verb(CLI::App& app) {
  auto options = std::make_shared<TestOptions>();
  app.add_option("RUN-OR-CONFIG", options->place,
                 "folder of a run, or a config with model.weights=FILE")
      ->transform(path_option())
      ->required();
  app.add_option("OVERRIDE", options->overrides, "key=value: values that replace the config's");
  app.add_option("--checkpoint", options->checkpoint, "best (default), last, or a step");
  add_plugin_option(app);
  app.add_flag("--json", options->json, "print JSON");
  return [options] { return test(*options); };
}

}  // namespace vitrine

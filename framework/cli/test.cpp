#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "framework/cli/terminal.h"
#include "framework/cli/training.h"
#include "framework/cli/verbs.h"
#include "framework/config/scalar.h"
#include "framework/files/file.h"
#include "framework/files/json.h"
#include "framework/runs/run_directory.h"
#include "framework/sweeps/best.h"

namespace vitrine {

namespace {

using Json = nlohmann::ordered_json;

struct TestOptions {
  std::string place, checkpoint, predictions;
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

constexpr size_t kMostRows = 20;

// Of many classes those of the lowest recall; one without images has none, and comes last.
std::vector<Json> shown_classes(const Json& all) {
  std::vector<Json> out(all.begin(), all.end());
  if (out.size() <= kMostRows) return out;
  const auto recall = [](const Json& row) {
    return row.at("recall").is_null() ? 2 : row.at("recall").get<double>();
  };
  std::stable_sort(out.begin(), out.end(),
                   [&](const Json& a, const Json& b) { return recall(a) < recall(b); });
  out.resize(kMostRows);
  return out;
}

// `worst`: where the images lie that went most wrong; empty where nowhere.
std::string shown_scores(const Json& result, const std::string& worst) {
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
    const Json& all = has_labels                 ? task.at("labels")
                      : task.contains("classes") ? task.at("classes")
                                                 : none;
    for (const Json& row : shown_classes(all)) {
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
    if (all.size() > kMostRows) {
      out += fmt::format("{} of {} {}, those of the lowest recall; --json prints all\n", kMostRows,
                         all.size(), has_labels ? "labels" : "classes");
    }
  }
  if (!worst.empty()) out += "the images that went most wrong: " + worst + "\n";
  return out + fmt::format("weights of {}, {} images", result.at("checkpoint").get<std::string>(),
                           grouped(result.at("images").get<int64_t>()));
}

// So nothing else is written over.
void refuse_no_table(const std::string& file) {
  if (std::filesystem::path(file).extension() != ".csv") {
    throw Error(
        ExitCode::kUsage,
        fmt::format("--predictions {}: a table of comma-separated values, so its name ends in .csv",
                    escape(file)));
  }
  refuse_file_of_run(file);
}

// Where the test of the run itself left the images that went most wrong; nothing where this one is
// another.
std::optional<Place> worst_of_run(const TestOptions& options, const Json& result) {
  constexpr uint64_t kMostBytes = uint64_t{256} << 20;
  if (!options.overrides.empty() || !std::filesystem::is_directory(options.place))
    return std::nullopt;
  try {
    const RunDirectory run = RunDirectory::open(options.place);
    const Json told = parse_ordered_json(read_file(run.test(), kMostBytes), run.test().shown());
    if (told.at("checkpoint") == result.at("checkpoint") && exists(run.worst())) return run.worst();
  } catch (const Error&) {
    // This test needs nothing of that one.
  } catch (const Json::exception&) {
  }
  return std::nullopt;
}

ExitCode test(const TestOptions& options) {
  join_ranks_quietly();
  refuse_sweep(options.place);
  if (!options.predictions.empty()) refuse_no_table(options.predictions);
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
  const auto config = engine().resolve_tested(source, weights);
  engine().set_threads(config->threads);
  Console console(options.json);
  const Json result = engine().test(config, weights, console, options.predictions);
  if (result.is_null()) {
    console.message("stopped before the test was done");
    return console.stop_requested();
  }
  if (!options.json) {
    const auto worst = worst_of_run(options, result);
    if (result.contains("tasks")) print(shown_scores(result, worst ? worst->shown() : ""));
    if (!options.predictions.empty())
      print(fmt::format("wrote {}: {} images", escape(options.predictions),
                        grouped(result.at("images").get<int64_t>())));
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
  app.add_option(
         "--predictions", options->predictions,
         "CSV file to write, also over an older one: of each test image what it is, what it "
         "is taken for, and the probability of every class")
      ->transform(path_option());
  add_plugin_option(app);
  app.add_flag("--json", options->json, "print JSON");
  return [options] { return test(*options); };
}

}  // namespace vitrine

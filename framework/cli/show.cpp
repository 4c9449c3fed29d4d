#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <cstdio>

#include "framework/cli/terminal.h"
#include "framework/cli/verbs.h"
#include "framework/comparing/condition.h"

namespace vitrine {

namespace {

using Json = nlohmann::ordered_json;

struct ShowOptions {
  ConfigSource source;
  bool json = false;
};

std::string shown_model(const Json& model) {
  const bool has_buffers = model.at("buffers") > 0;
  std::vector<std::vector<std::string>> rows;
  const auto add = [&](std::vector<std::string> row, const std::string& buffers,
                       const std::string& flops) {
    if (has_buffers) row.push_back(buffers);
    row.push_back(flops);
    rows.push_back(std::move(row));
  };
  const auto count = [](const Json& of, const char* key) {
    return grouped(of.at(key).get<int64_t>());
  };
  add({"layer", "type", "output", "parameters"}, "buffers", "FLOPs an image");
  for (const Json& layer : model.at("layers")) {
    const auto shape = layer.at("shape").get<std::vector<int64_t>>();
    add({layer.at("name"), layer.at("type"), fmt::format("[{}]", fmt::join(shape, ", ")),
         count(layer, "parameters")},
        count(layer, "buffers"), count(layer, "flops"));
  }
  add({"total", model.at("type"), "", count(model, "parameters")}, count(model, "buffers"),
      count(model, "flops_per_image"));
  return terminal_table(rows, STDERR_FILENO);
}

ExitCode show(const ShowOptions& options) {
  const auto config = engine().resolve(options.source);
  engine().set_threads(1);
  const Json model = engine().summarize(config);
  for (const std::string& note : config->notes) print_warning(note);
  if (options.json) {
    Json execution = Json::object();
    for (const Execution& one : config->execution)
      execution[one.key] = {{"value", one.value}, {"derived", one.derived}, {"why", one.why}};
    print_json({{"config", config->resolved.json()},
                {"execution", execution},
                {"notes", config->notes},
                {"model", model}});
    return ExitCode::kDone;
  }
  const auto origin = [&](const std::string& path) {
    std::string out = origin_of(config->written, path);
    for (const Execution& one : config->execution) {
      if (one.key == path && one.derived)
        out += fmt::format("; here {}: {}", shown_value(one.value), one.why);
    }
    return out;
  };
  // So that what is written to a file or a pipe is a config.
  std::fputs(to_commented_yaml(config->resolved, origin).c_str(), stdout);
  std::fflush(stdout);
  print_aside("\n" + shown_model(model));
  return ExitCode::kDone;
}

}  // namespace

Action show_verb(CLI::App& app) {
  auto options = std::make_shared<ShowOptions>();
  app.add_option("CONFIG", options->source.file,
                 "YAML file of the experiment, or - for standard input")
      ->transform(path_option())
      ->required();
  app.add_option("OVERRIDE", options->source.overrides,
                 "key=value: values that replace the config's");
  app.add_option("--unset", options->source.unset, "take a key of the config back to its default")
      ->allow_extra_args(false);
  add_plugin_option(app);
  app.add_flag("--json", options->json, "print JSON");
  return [options] { return show(*options); };
}

}  // namespace vitrine

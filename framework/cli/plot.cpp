#include <fmt/format.h>

#include "framework/cli/pictures.h"
#include "framework/cli/terminal.h"
#include "framework/cli/verbs.h"
#include "framework/config/yaml.h"
#include "framework/engine/engine.h"
#include "framework/files/paths.h"
#include "framework/runs/run_directory.h"
#include "framework/sweeps/best.h"

namespace vitrine {

namespace {

namespace fs = std::filesystem;

struct PlotOptions {
  std::string name, file;
  WeightsSource weights;
};

// "RUN --length 100 --images 0,1" as the place RUN and the mapping {length: 100, images: [0, 1]},
// with its places.
struct Words {
  std::vector<std::string> places;
  Node options = Node::mapping();
};

std::string as_list(const std::string& value) {
  const bool list = value.find(',') != value.npos && value.find_first_of("[]{}\"'") == value.npos;
  return list ? "[" + value + "]" : value;
}

Words read_words(const std::vector<std::string>& words) {
  Words out;
  for (size_t i = 0; i < words.size(); ++i) {
    std::string word = words[i];
    if (!word.starts_with("--")) {
      out.places.push_back(expand_home(word));
      continue;
    }
    word = word.substr(2);
    if (word == "type" || word.starts_with("type="))
      throw Error(ExitCode::kUsage, "--type has no effect: the name of the plot is its type");
    size_t equals = word.find('=');
    if (equals == word.npos) {
      if (i + 1 == words.size())
        throw Error(ExitCode::kUsage, fmt::format("--{} needs a value", escape(word)));
      equals = word.size();
      word += "=" + words[++i];
    }
    apply_override(out.options, word.substr(0, equals + 1) + as_list(word.substr(equals + 1)));
  }
  return out;
}

ExitCode plot(const PlotOptions& options, const std::vector<std::string>& extras) {
  const Words words = read_words(extras);
  if (words.places.size() > 1)
    throw Error(ExitCode::kUsage, fmt::format("\"{}\" belongs to no option of the plot, which is "
                                              "of one run",
                                              escape(words.places[1])));
  std::optional<WeightsSource> weights;
  fs::path file = options.file;
  if (!words.places.empty()) {
    refuse_sweep(words.places[0]);
    weights = options.weights;
    weights->path = words.places[0];
  } else if (!options.weights.checkpoint.empty()) {
    throw Error(ExitCode::kUsage, "--checkpoint has no effect: no run was given");
  }
  if (file.empty()) file = default_picture(weights ? weights->path : "", options.name + ".png");
  const std::string format = picture_format(file);
  engine().set_threads(1);
  install_signal_handlers();
  Console console;
  const Picture picture = engine().plot(options.name, words.options, weights, console);
  write_plot(file, encode_picture(picture, format));
  print("wrote " + escape(file.string()));
  return ExitCode::kDone;
}

}  // namespace

Action plot_verb(CLI::App& app) {
  auto options = std::make_shared<PlotOptions>();
  CLI::App* curves =
      app.add_subcommand("curves", "learning curves of runs, as a picture or numbers");
  const Action plot_curves = plot_curves_verb(*curves);
  app.add_option("PLOT", options->name, "which picture of a model: runner list plot");
  app.add_option(
         "-o,--output", options->file,
         "file to write, by its end: .png, .svg, or .json for the numbers behind the picture; "
         "default RUN/plots/PLOT.png, or PLOT.png without a run")
      ->transform(path_option());
  app.add_option("--checkpoint", options->weights.checkpoint,
                 "best, last, or a step of the run; default: what it tested");
  add_plugin_option(app);
  app.allow_extras();
  app.footer(
      "The run and the plot's own options follow as --name value: runner list plot PLOT\n"
      "  runner plot attention runs/vit_mnist/latest --images 0,1,2\n"
      "  runner plot positions --length 100 --width 300 -o positions.svg\n"
      "  runner plot curves runs/vit_mnist --metric validation/accuracy --band std -o curves.svg");
  return [options, &app, curves, plot_curves] {
    if (options->name.empty() && curves->parsed()) return plot_curves();
    if (curves->parsed())
      throw Error(ExitCode::kUsage,
                  "\"curves\" is a picture of its own; a run of that name is ./curves");
    if (options->name.empty())
      throw Error(ExitCode::kUsage, "which picture? curves, or one that runner list plot names");
    return plot(*options, app.remaining());
  };
}

}  // namespace vitrine

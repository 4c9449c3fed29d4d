#include <fmt/format.h>

#include "framework/cli/terminal.h"
#include "framework/cli/verbs.h"
#include "framework/config/yaml.h"
#include "framework/runs/run_directory.h"
#include "framework/training/engine.h"

namespace vitrine {

namespace {

struct Options {
  std::string name, file;
};

// "--length 100 --position sincos_2d" as the mapping {length: 100, position: sincos_2d}, with its
// places.
Node options_of(const std::vector<std::string>& words) {
  Node out = Node::mapping();
  for (size_t i = 0; i < words.size(); ++i) {
    std::string word = words[i];
    if (!word.starts_with("--"))
      throw Error(ExitCode::kUsage,
                  fmt::format("\"{}\" belongs to no option of the plot", escape(word)));
    word = word.substr(2);
    if (word == "type" || word.starts_with("type="))
      throw Error(ExitCode::kUsage, "--type has no effect: the name of the plot is its type");
    if (word.find('=') == word.npos) {
      if (i + 1 == words.size())
        throw Error(ExitCode::kUsage, fmt::format("--{} needs a value", escape(word)));
      word += "=" + words[++i];
    }
    apply_override(out, word);
  }
  return out;
}

}  // namespace

Action plot_verb(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("PLOT", options->name, "which picture: runner list plot")->required();
  app.add_option("-o,--output", options->file, "PNG file to write; default PLOT.png");
  app.allow_extras();
  app.footer(
      "The plot's own options follow as --name value: runner list plot PLOT\n"
      "  runner plot positions --length 100 --width 300 -o positions.png");
  return [options, &app] {
    if (options->file.empty()) options->file = options->name + ".png";
    refuse_file_of_run(options->file);
    engine().plot(options->name, options_of(app.remaining()), options->file);
    print("wrote " + escape(options->file));
    return ExitCode::kDone;
  };
}

}  // namespace vitrine

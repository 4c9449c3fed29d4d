#include "framework/cli/config_or_folder.h"
#include "framework/cli/terminal.h"
#include "framework/cli/verbs.h"
#include "framework/engine/engine.h"
#include "framework/runs/run_directory.h"

namespace vitrine {

namespace {

struct PackOptions {
  std::string from, file;
  std::vector<std::string> overrides;
};

ExitCode pack(const PackOptions& options) {
  refuse_file_of_run(options.file);
  install_signal_handlers();
  const auto config = engine().resolve(config_or_folder(options.from, options.overrides, "packed"));
  engine().set_threads(config->threads);
  Console console(false);
  engine().pack(config, options.file, console);
  return ExitCode::kDone;
}

}  // namespace

Action pack_verb(CLI::App& app) {
  auto options = std::make_shared<PackOptions>();
  app.add_option("FOLDER-OR-CONFIG", options->from,
                 "folder with images, as the data set folder takes it, or a config with a data set")
      ->transform(path_option())
      ->required();
  app.add_option("FILE", options->file, "safetensors file to write")
      ->transform(path_option())
      ->required();
  app.add_option("KEY=VALUE", options->overrides, "what the config is to have: dataset.size=128");
  add_plugin_option(app);
  return [options] { return pack(*options); };
}

}  // namespace vitrine

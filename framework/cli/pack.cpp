#include <filesystem>
#include <nlohmann/json.hpp>

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

// Of a folder of images, or a config. What the model is does not matter, so it is one that fits any
// images.
ConfigSource source_of(const PackOptions& options) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(options.from, ignored))
    return {options.from, options.overrides, {}};
  ConfigSource out;
  out.overrides = {"name=packed", "dataset.type=folder",
                   "dataset.path=" + nlohmann::json(options.from).dump(), "model.type=vit",
                   "model.n_patches=1"};
  out.overrides.insert(out.overrides.end(), options.overrides.begin(), options.overrides.end());
  return out;
}

ExitCode pack(const PackOptions& options) {
  refuse_file_of_run(options.file);
  install_signal_handlers();
  const auto config = engine().resolve(source_of(options));
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

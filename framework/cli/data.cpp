#include <fmt/format.h>

#include <filesystem>

#include "framework/cli/config_or_folder.h"
#include "framework/cli/terminal.h"
#include "framework/cli/verbs.h"
#include "framework/files/file.h"
#include "framework/reports/data_page.h"
#include "framework/runs/run_directory.h"

namespace vitrine {

namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMostRows = 60;

struct DataOptions {
  std::string place, file;
  std::vector<std::string> overrides, unset;
  bool json = false;
};

Json shared_json(const DataView& view) {
  Json out = Json::array();
  for (const SharedImages& shared : view.shared) {
    Json first = Json::array();
    for (const SharedImages::Pair& pair : shared.first)
      first.push_back({{shared.split, pair.number}, {shared.other, pair.other}});
    out.push_back({{"split", shared.split},
                   {"other", shared.other},
                   {"images", shared.images},
                   {"first", first}});
  }
  return out;
}

Json to_json(const DataView& view) {
  Json images = Json::object(), columns = Json::array();
  for (size_t i = 0; i < view.splits.size(); ++i) images[view.splits[i]] = view.images[i];
  for (const DataColumn& column : view.columns) {
    Json one = {{"name", column.name}, {"names", column.names}};
    for (size_t i = 0; i < view.splits.size(); ++i) {
      if (column.ranges.empty()) {
        one["images"][view.splits[i]] = column.images[i];
        continue;
      }
      for (const DataColumn::Range& range : column.ranges[i])
        one["values"][view.splits[i]].push_back(
            {{"least", range.least}, {"average", range.average}, {"most", range.most}});
    }
    columns.push_back(std::move(one));
  }
  return {{"images", images},
          {"columns", columns},
          {"findings", view.findings},
          {"shared", shared_json(view)},
          {"not_compared", view.unread}};
}

void print_view(const DataView& view) {
  print(escape(view.line));
  for (const DataColumn& column : view.columns) {
    if (view.columns.size() > 1) print("\n" + escape(column.name) + ":");
    print(terminal_table(column.ranges.empty() ? count_rows(view, column, kMostRows)
                                               : range_rows(view, column)));
    if (column.ranges.empty() && column.names.size() > kMostRows) {
      print(
          fmt::format("{} of {} classes, those with the fewest and the most training images; "
                      "--json prints all",
                      kMostRows, column.names.size()));
    }
  }
  for (const std::string& line : shared_lines(view)) print(line);
}

// So nothing else is written over.
void refuse_no_page(const std::string& file) {
  if (std::filesystem::path(file).extension() != ".html") {
    throw Error(ExitCode::kUsage,
                fmt::format("{}: it is an HTML page, so its name ends in .html", escape(file)));
  }
  refuse_file_of_run(file);
}

ExitCode data(const DataOptions& options) {
  const bool is_page = !options.file.empty();
  if (is_page) refuse_no_page(options.file);
  install_signal_handlers();
  ConfigSource source = config_or_folder(options.place, options.overrides, "data");
  source.unset = options.unset;
  source.overrides.emplace_back("device=cpu");  // where images are looked at
  const auto config = engine().resolve(source);
  engine().set_threads(config->threads);
  Console console(options.json);
  const auto view = engine().look_at_data(config, is_page, console);
  if (!view) {
    console.message("stopped before all was looked at");
    return console.stop_requested();
  }
  for (const std::string& finding : view->findings) print_warning(finding);
  if (is_page) {
    Node shown = Node::mapping();
    const Node* dataset = config->resolved.find("dataset");
    if (dataset) shown.set("dataset", *dataset);
    write_file_atomically(options.file, data_page(*view, config->name, to_yaml(shown)));
  }
  if (options.json) {
    print_json(to_json(*view));
    return ExitCode::kDone;
  }
  if (is_page) {
    print("wrote " + escape(options.file));
    return ExitCode::kDone;
  }
  print_view(*view);
  return ExitCode::kDone;
}

}  // namespace

Action data_verb(CLI::App& app) {
  auto options = std::make_shared<DataOptions>();
  app.add_option("CONFIG-OR-FOLDER", options->place,
                 "config with a data set, a run, or a folder with images, as the data set folder "
                 "takes it")
      ->transform(path_option())
      ->required();
  app.add_option("KEY=VALUE", options->overrides, "what the config is to have: dataset.size=128");
  app.add_option("--unset", options->unset, "take a key of the config back to its default")
      ->allow_extra_args(false);
  app.add_option("-o,--output", options->file,
                 "HTML file to write, also over an older one, with images and charts")
      ->transform(path_option());
  add_plugin_option(app);
  app.add_flag("--json", options->json, "print JSON");
  return [options] { return data(*options); };
}

}  // namespace vitrine

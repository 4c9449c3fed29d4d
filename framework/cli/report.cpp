#include "framework/reports/report.h"

#include <fmt/format.h>

#include <thread>

#include "framework/cli/terminal.h"
#include "framework/cli/verbs.h"
#include "framework/files/file.h"
#include "framework/runs/run_directory.h"

namespace vitrine {

namespace {

struct Options {
  std::vector<std::string> places;
  std::string file = "report.html";
};

ExitCode report(const Options& options) {
  refuse_file_of_run(options.file);
  std::vector<RunRecord> runs = read_runs(options.places, std::thread::hardware_concurrency());
  const size_t count = runs.size();
  write_file_atomically(options.file, report_page(std::move(runs), options.places));
  print(fmt::format("wrote {}: {} run{}", escape(options.file), count, count == 1 ? "" : "s"));
  return ExitCode::kDone;
}

}  // namespace

Action report_verb(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("RUN", options->places, "runs, or folders with runs or of a sweep")->required();
  app.add_option("-o,--output", options->file, "HTML file to write")->capture_default_str();
  return [options] { return report(*options); };
}

}  // namespace vitrine

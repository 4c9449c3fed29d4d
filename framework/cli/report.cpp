#include "framework/reports/report.h"

#include <fmt/format.h>

#include "framework/cli/passed_over.h"
#include "framework/cli/terminal.h"
#include "framework/cli/verbs.h"
#include "framework/files/file.h"

namespace vitrine {

namespace {

struct ReportOptions {
  std::vector<std::string> places;
  std::string file = "report.html";
};

ExitCode report(const ReportOptions& options) {
  // So nothing else is written over.
  if (std::filesystem::path(options.file).extension() != ".html") {
    throw Error(ExitCode::kUsage, fmt::format("{}: a report is an HTML page, so its name ends in "
                                              ".html",
                                              escape(options.file)));
  }
  PassedOver passed_over;
  std::vector<RunRecord>& runs = kept_runs(options.places, passed_over);
  const size_t count = runs.size();
  size_t unreadable = 0;
  for (const RunRecord& run : runs) {
    if (run.is_readable()) continue;
    if (++unreadable == count) throw Error(ExitCode::kData, run.error);
    print_warning(run.error);
  }
  write_file_atomically(options.file, report_page(std::move(runs), options.places));
  print(fmt::format("wrote {}: {} run{}", escape(options.file), count, count == 1 ? "" : "s"));
  return tell_passed_over(passed_over);
}

}  // namespace

Action report_verb(CLI::App& app) {
  auto options = std::make_shared<ReportOptions>();
  app.add_option("RUN", options->places, "runs, or folders with runs or of a sweep")
      ->transform(path_option())
      ->required();
  app.add_option("-o,--output", options->file, "HTML file to write, also over an older one")
      ->transform(path_option())
      ->capture_default_str();
  return [options] { return report(*options); };
}

}  // namespace vitrine

#include "framework/reports/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <tuple>
#include <utility>

#include "framework/cli/live.h"
#include "framework/cli/passed_over.h"
#include "framework/cli/terminal.h"
#include "framework/cli/verbs.h"
#include "framework/comparing/watched_runs.h"
#include "framework/cpus.h"
#include "framework/files/file.h"

namespace vitrine {

namespace {

struct ReportOptions {
  std::vector<std::string> places;
  std::string file = "report.html";
  bool live = false;
};

// Of runs that cannot be read, each once; throws Error(kData) where there are no others.
void warn_of_unreadable(const std::vector<RunRecord>& runs, std::set<std::string>& told) {
  size_t unreadable = 0;
  for (const RunRecord& run : runs) {
    if (run.is_readable()) continue;
    if (++unreadable == runs.size()) throw Error(ExitCode::kData, run.error);
    if (told.insert(run.error).second) print_warning(run.error);
  }
}

std::string wrote(const ReportOptions& options, size_t count) {
  return fmt::format("wrote {}: {} run{}", escape(options.file), count, count == 1 ? "" : "s");
}

ExitCode write_once(const ReportOptions& options, std::set<std::string>& told) {
  PassedOver passed_over;
  std::vector<RunRecord>& runs = kept_runs(options.places, passed_over);
  const size_t count = runs.size();
  warn_of_unreadable(runs, told);
  write_file_atomically(options.file, report_page(std::move(runs), options.places));
  print(wrote(options, count));
  return tell_passed_over(passed_over);
}

// What of runs has a page show something else.
using Standing = std::vector<std::tuple<std::string, std::string, int64_t, size_t>>;
Standing standing_of(const WatchedRuns& runs) {
  Standing out;
  for (const WatchedRow* row : runs.rows())
    out.emplace_back(row->run, row->status, row->epoch, row->validations.size());
  return out;
}

bool have_all_ended(const WatchedRuns& runs) {
  const auto rows = runs.rows();
  return !rows.empty() && std::all_of(rows.begin(), rows.end(),
                                      [](const WatchedRow* row) { return row->has_ended(); });
}

// Writes the page anew as runs go on, so that a browser reads it again.
class LivePage {
 public:
  explicit LivePage(const ReportOptions& options) : options_(options) {}

  // A failure of the first time is thrown, as Error; of a later one is warned, and it is tried
  // again.
  bool write(int64_t refresh, std::set<std::string>& told) {
    try {
      std::vector<RunRecord> runs = read_runs(options_.places, static_cast<size_t>(allowed_cpus()));
      const size_t count = runs.size();
      warn_of_unreadable(runs, told);
      write_file_atomically(options_.file, report_page(std::move(runs), options_.places, refresh));
      if (!is_written_)
        print(wrote(options_, count) + "; it follows them until all have ended, or Ctrl-C");
      return is_written_ = true;
    } catch (const Error& error) {
      if (!is_written_) throw;
      if (told.insert(error.what()).second) print_warning(error.what());
      return false;
    }
  }

 private:
  const ReportOptions& options_;
  bool is_written_ = false;
};

// How often a browser reads the page again: as often as it may be written, and no reader is driven
// mad.
constexpr auto kRefresh = std::chrono::seconds(5);

ExitCode write_live(const ReportOptions& options) {
  using Clock = std::chrono::steady_clock;
  install_signal_handlers();
  std::set<std::string> told;
  LivePage page(options);
  WatchedRuns runs(options.places);
  Standing written;
  bool had_ended = false, said_none = false;
  for (Clock::time_point next;;) {
    const auto begun = Clock::now();
    runs.refresh();
    // A look may come between two writes of a run.
    const bool have_ended = have_all_ended(runs);
    if (have_ended && had_ended) break;
    had_ended = have_ended;
    Standing now = standing_of(runs);
    if (now.empty() && !std::exchange(said_none, true)) print("no runs yet");
    if (!now.empty() && !have_ended && now != written && begun >= next) {
      if (page.write(kRefresh.count(), told)) written = std::move(now);
      next = std::max<Clock::time_point>(begun + kRefresh, next_look(begun));
    }
    if (!wait_until(next_look(begun), false)) break;
  }
  const ExitCode code = requested_stop();
  if (code != ExitCode::kDone && written.empty()) return code;  // there is nothing to tell
  const ExitCode last = write_once(options, told);
  return code == ExitCode::kDone ? last : code;
}

ExitCode report(const ReportOptions& options) {
  // So nothing else is written over.
  if (std::filesystem::path(options.file).extension() != ".html") {
    throw Error(ExitCode::kUsage, fmt::format("{}: a report is an HTML page, so its name ends in "
                                              ".html",
                                              escape(options.file)));
  }
  std::set<std::string> told;
  return options.live ? write_live(options) : write_once(options, told);
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
  app.add_flag("--live", options->live,
               "write the page anew while runs go on, until all have ended");
  return [options] { return report(*options); };
}

}  // namespace vitrine

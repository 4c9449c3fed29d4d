#include <fmt/format.h>

#include <limits>
#include <map>
#include <optional>

#include "framework/cli/live.h"
#include "framework/cli/passed_over.h"
#include "framework/cli/terminal.h"
#include "framework/cli/verbs.h"
#include "framework/comparing/watch_table.h"

namespace vitrine {
namespace {

struct WatchOptions {
  std::vector<std::string> places;
  bool once = false;
};

using WatchClock = std::chrono::steady_clock;

std::string painted(const std::string& cell, const std::string& status) {
  const char* colour = status == "running"                              ? "32"
                       : status == "finished" || status == "waiting"    ? nullptr
                       : status == "stopped" || status == "interrupted" ? "33"
                                                                        : "31";
  return colour ? coloured(cell, colour, STDOUT_FILENO) : cell;
}

void print_table(const WatchedRuns& runs, size_t height) {
  for (const std::string& line : watch_table(runs.rows(), output_width(), height, painted))
    print(line);
}

// Follows the one run that was asked for. A look may come between two of its writes, so that it has
// ended where two looks say the same.
class OneRun {
 public:
  // Throws Error where it is gone, or cannot be read.
  bool has_ended(const WatchedRuns& runs) {
    const auto rows = runs.rows();
    const std::string status = rows.empty() ? "gone" : rows[0]->status;
    const bool is_certain = status == before_ || status == "finished";
    before_ = status;
    if (!is_certain) return false;
    if (rows.empty()) throw Error(ExitCode::kFailed, escape(name_) + ": the run is gone");
    if (!rows[0]->error.empty()) throw Error(ExitCode::kData, rows[0]->error);
    return rows[0]->has_ended();
  }
  void remember(const WatchedRuns& runs) {
    if (const auto rows = runs.rows(); !rows.empty()) name_ = rows[0]->run;
  }
  std::string words() const { return fmt::format("{} has ended: {}", escape(name_), before_); }

 private:
  std::string name_, before_;
};

// A line where the state or the epoch of a run is another than before.
class Lines {
 public:
  void show(const WatchedRuns& runs) {
    const auto rows = runs.rows();
    std::map<std::string, std::pair<std::string, int64_t>> shown;
    for (const WatchedRow* row : rows) {
      const std::pair<std::string, int64_t> state = {row->status, row->epoch};
      const auto before = shown_.find(row->run);
      if (before == shown_.end() || before->second != state) print(watch_line(*row));
      shown[row->run] = state;
    }
    for (const auto& [run, state] : shown_) {
      if (!shown.contains(run)) print(escape(run) + ": gone");
    }
    shown_ = std::move(shown);
    if (rows.empty() && !said_none_ && !runs.is_one()) print("no runs yet");
    said_none_ = rows.empty();
  }

 private:
  bool said_none_ = false;
  std::map<std::string, std::pair<std::string, int64_t>> shown_;
};

// Looks until the one run has ended, or the program is asked to stop, which is returned.
ExitCode follow(WatchedRuns& runs, OneRun& one) {
  std::optional<Screen> screen;
  if (is_terminal(STDOUT_FILENO)) screen.emplace();
  Lines lines;
  do {
    const auto begun = WatchClock::now();
    runs.refresh();
    const auto next = next_look(begun);
    one.remember(runs);
    if (!screen) lines.show(runs);
    const bool has_ended = runs.is_one() && one.has_ended(runs);
    do {  // again where the terminal has another size
      if (screen)
        screen->show(watch_table(runs.rows(), Screen::width(), Screen::height(), painted));
      if (has_ended) return ExitCode::kDone;
      if (!wait_until(next, true)) return requested_stop();
    } while (WatchClock::now() < next);
  } while (true);
}

ExitCode watch(const WatchOptions& options) {
  constexpr size_t kAll = std::numeric_limits<size_t>::max();
  WatchedRuns runs(options.places);
  if (options.once) {
    runs.refresh();
    print_table(runs, kAll);
    return tell_passed_over(runs.passed_over());
  }
  install_signal_handlers();
  std::signal(SIGPIPE, SIG_DFL);
  OneRun one;
  const ExitCode code = follow(runs, one);
  if (is_terminal(STDOUT_FILENO)) print_table(runs, Screen::height());
  if (code == ExitCode::kDone) print(one.words());
  const ExitCode told = tell_passed_over(runs.passed_over());
  return code == ExitCode::kDone ? told : code;
}

}  // namespace

Action watch_verb(CLI::App& app) {
  auto options = std::make_shared<WatchOptions>();
  app.add_option("RUN-OR-FOLDER", options->places, "a run, or folders with runs; default runs")
      ->transform(path_option())
      ->default_val(std::vector<std::string>{"runs"});
  app.add_flag("--once", options->once, "show how they stand now, and end");
  return [options] { return watch(*options); };
}

}  // namespace vitrine

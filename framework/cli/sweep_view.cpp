#include "framework/cli/sweep_view.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "framework/cli/terminal.h"
#include "framework/config/scalar.h"
#include "framework/sweeps/best.h"
#include "framework/sweeps/ranking.h"

namespace vitrine {
namespace {

bool has_many_seeds(const Sweep& sweep) {
  const auto& trials = sweep.trials();
  return std::any_of(trials.begin(), trials.end(),
                     [&](const Trial& trial) { return trial.seed != trials[0].seed; });
}

std::string cut(const std::string& text, size_t width) {
  if (count_letters(text) <= width) return text;
  return text.substr(0, byte_of_letter(text, width - 3)) + "...";
}

// "lr=1", or with what is to be known of its mean: "lr=3: 2 of 3 diverged".
std::string label_of(const CellResult& cell) {
  std::string out = escape(cell.cell), sign = ": ";
  if (cell.under_way > 0) {
    out += fmt::format("{}{} of {} seeds", sign, cell.values.size(), cell.seeds());
    sign = ", ";
  }
  const std::string remark = cell.remark();
  return out + (remark.empty() ? "" : sign + remark);
}

std::string table_remark(const CellResult& cell) {
  const std::string remark = cell.remark();
  if (cell.under_way == 0) return remark;
  return remark.empty() ? "so far" : remark + ", so far";
}

}  // namespace

std::string trial_label(const Sweep& sweep, size_t trial) {
  const Trial& planned = sweep.trials()[trial];
  std::string out = escape(planned.cell);
  if (has_many_seeds(sweep)) out += fmt::format(", seed {}", planned.seed);
  return planned.confirms ? out + " (confirming)" : out;
}

std::string counts_text(const Sweep& sweep) {
  std::map<TrialStatus, size_t> counts;
  for (size_t i = 0; i < sweep.trials().size(); ++i) ++counts[sweep.state(i).status];
  std::vector<std::string> parts;
  for (const TrialStatus status :
       {TrialStatus::kFinished, TrialStatus::kRunning, TrialStatus::kQueued, TrialStatus::kWaiting,
        TrialStatus::kPaused, TrialStatus::kStopped, TrialStatus::kInterrupted,
        TrialStatus::kDiverged, TrialStatus::kFailed}) {
    if (counts[status]) parts.push_back(fmt::format("{} {}", counts[status], to_string(status)));
  }
  const size_t all = sweep.planned_trials();
  if (all > sweep.trials().size())
    parts.push_back(fmt::format("{} to come", all - sweep.trials().size()));
  return fmt::format("{} {}: {}", all, all == 1 ? "trial" : "trials", fmt::join(parts, ", "));
}

std::string headline_of(const Sweep& sweep, const std::string& left) {
  const std::string counts = counts_text(sweep) + (left.empty() ? "" : "; " + left);
  if (!sweep.has_best()) return counts;
  // What the winners reach on fresh seeds tells more than what made them win.
  auto results = ranking(sweep, true);
  const bool confirmed = !results.empty() && !results[0].values.empty();
  if (!confirmed) results = ranking(sweep);
  if (results.empty() || results[0].values.empty()) return counts;
  const char* word = confirmed                 ? "best confirmed"
                     : has_ended(sweep, false) ? "best"
                                               : "best so far";
  return fmt::format("{}; {} {} ({})", counts, word, sweep.chosen_by().text(results[0].mean()),
                     label_of(results[0]));
}

// "not counted: lr=1, seed 0 (went 4 epochs, the cell's others 2)", a line each.
std::string shown_apart(const Sweep& sweep) {
  constexpr size_t kMostShown = 10;
  const auto apart = apart_trials(sweep);
  std::string out;
  size_t shown = 0;
  for (const auto& [trial, reason] : apart) {
    if (++shown > kMostShown) break;
    out += fmt::format("\nnot counted: {} ({})", trial_label(sweep, trial), escape(reason));
  }
  if (apart.size() > kMostShown) {
    out +=
        fmt::format("\nnot counted: {} trials more, which --json lists", apart.size() - kMostShown);
  }
  return out;
}

std::string best_cells(const Sweep& sweep, size_t most) {
  if (!sweep.has_best()) return "";
  std::string out;
  for (const bool confirms : {false, true}) {
    const auto results = ranking(sweep, confirms);
    if (results.empty()) continue;
    const ChosenBy& metric = sweep.chosen_by();
    std::vector<std::vector<std::string>> rows = {
        {confirms ? "confirmed on fresh seeds" : "cell", "seeds", metric.name}};
    for (size_t i = 0; i < std::min(most, results.size()); ++i) {
      const CellResult& cell = results[i];
      rows.push_back({escape(cell.cell), fmt::format("{}/{}", cell.values.size(), cell.seeds()),
                      cell.values.empty() ? "-" : metric.text(cell.mean()), table_remark(cell)});
    }
    out += (out.empty() ? "" : "\n\n") + terminal_table(rows);
    if (results.size() > most)
      out += fmt::format("\n({} cells more: --json has all)", results.size() - most);
  }
  return out.empty() ? out : out + shown_apart(sweep);
}

SweepView::SweepView(const Sweep& sweep, bool quiet)
    : sweep_(sweep), quiet_(quiet), terminal_(is_terminal(STDERR_FILENO)) {
  done_before_ = share_done();
}

SweepView::~SweepView() { clear(); }

void SweepView::started(size_t trial) { running_.insert(trial); }

void SweepView::ended(size_t trial) {
  running_.erase(trial);
  if (quiet_ || stopping_) return;
  const TrialState& state = sweep_.state(trial);
  // On a terminal the table has it; what went wrong is kept in sight.
  if (terminal_ && state.error.empty()) return;
  std::string line = fmt::format("{}: {}", trial_label(sweep_, trial), to_string(state.status));
  const std::string error = state.error.substr(0, state.error.find('\n'));  // status has all of it
  if (!error.empty()) line += " (" + escape(error) + ")";
  const auto value = sweep_.has_best() ? sweep_.value(trial) : std::nullopt;
  if (value)
    line += fmt::format(", {} {}", sweep_.chosen_by().name, sweep_.chosen_by().text(*value));
  size_t ended = 0;
  for (size_t i = 0; i < sweep_.trials().size(); ++i)
    ended += sweep_.state(i).status == TrialStatus::kFinished || sweep_.state(i).is_failed();
  const std::string left = time_left();
  if (!terminal_)
    line += fmt::format(" ({} of {}{})", ended, sweep_.planned_trials(),
                        left.empty() ? "" : "; " + left);
  clear();
  print(line);
}

void SweepView::tick() {
  constexpr auto kInterval = std::chrono::milliseconds(500);
  if (quiet_ || !terminal_ || Clock::now() - drawn_ < kInterval) return;
  drawn_ = Clock::now();
  draw();
}

void SweepView::warning(const std::string& text) {
  clear();
  print_warning(text);
}

ExitCode SweepView::stop_requested() {
  const ExitCode out = requested_stop();
  if (out == ExitCode::kDone || stopping_) return out;
  stopping_ = true;
  clear();
  if (!quiet_ && !running_.empty())
    print(fmt::format("stopping: waiting for {} trials to save", running_.size()));
  return out;
}

void SweepView::clear() {
  if (lines_ > 0) std::fputs(fmt::format("\033[{}A\r\033[J", lines_).c_str(), stderr);
  std::fflush(stderr);
  lines_ = 0;
}

void SweepView::draw() {
  if (stopping_) return;
  const size_t width = terminal_width();
  std::vector<std::string> lines = {cut(headline_of(sweep_, time_left()), width - 1)};
  constexpr size_t kMostLines = 16;
  for (const size_t trial : running_) {
    if (lines.size() > kMostLines) break;
    const TrialState& state = sweep_.state(trial);
    const auto value = sweep_.has_best() ? sweep_.value(trial) : std::nullopt;
    lines.push_back(cut(fmt::format("  {}: epoch {}/{}{}", trial_label(sweep_, trial), state.epoch,
                                    sweep_.trials()[trial].epochs,
                                    value ? ", " + sweep_.chosen_by().text(*value) : std::string()),
                        width - 1));
  }
  clear();
  for (const std::string& line : lines) std::fputs((line + "\n").c_str(), stderr);
  std::fflush(stderr);
  lines_ = lines.size();
}

// Of the whole sweep's cost, how much is behind it; one that failed costs nothing more.
double SweepView::share_done() const {
  double done = 0, total = 0;
  for (size_t i = 0; i < sweep_.trials().size(); ++i) {
    const Trial& trial = sweep_.trials()[i];
    const TrialState& state = sweep_.state(i);
    const bool ended = state.status == TrialStatus::kFinished || state.is_failed();
    const double share = static_cast<double>(state.epoch) / static_cast<double>(trial.epochs);
    done += trial.cost * (ended ? 1 : share);
    total += trial.cost;
  }
  // What is to come is taken to cost as much as what there is.
  if (!sweep_.trials().empty())
    total *=
        static_cast<double>(sweep_.planned_trials()) / static_cast<double>(sweep_.trials().size());
  return total > 0 ? done / total : 0;
}

std::string SweepView::time_left() const {
  if (sweep_.options().searcher()->pauses()) return "";  // who will be stopped is not known
  const double done = share_done();
  const double passed = std::chrono::duration<double>(Clock::now() - begin_).count();
  if (done <= done_before_ || done >= 1) return "";
  return fmt::format("{} left", duration((1 - done) * passed / (done - done_before_)));
}

}  // namespace vitrine

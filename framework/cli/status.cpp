#include <algorithm>
#include <map>
#include <optional>

#include "framework/cli/passed_over.h"
#include "framework/cli/sweep_view.h"
#include "framework/cli/terminal.h"
#include "framework/cli/verbs.h"
#include "framework/comparing/status_rows.h"
#include "framework/config/scalar.h"
#include "framework/cpus.h"
#include "framework/files/paths.h"
#include "framework/sweeps/ranking.h"
#include "framework/sweeps/run_sweep.h"
#include "framework/sweeps/slurm_end.h"
#include "framework/sweeps/sweep.h"

namespace vitrine {

namespace {

struct StatusOptions {
  std::vector<std::string> places;
  bool json = false;
};

Sweep open_sweep(const std::filesystem::path& folder) {
  Sweep out = Sweep::open(folder);
  try {
    out.options().launcher.create({})->mark(out);
  } catch (const Error& error) {  // what the run directories tell is worth showing still
    print_warning(error.what());
  }
  return out;
}

struct KnownSweep {
  Sweep sweep;
  std::map<size_t, TaskOfTrial> tasks;  // the newest of Slurm's that is about a trial
  std::map<size_t, std::string> apart;  // trials that do not count for their cells, and why
};

KnownSweep known_sweep(const std::filesystem::path& folder) {
  KnownSweep out{open_sweep(folder), {}, {}};
  out.apart = apart_trials(out.sweep);
  out.tasks = newest_tasks(out.sweep);
  return out;
}

// Of a trial the sweep knows more: that it waits, that it is paused, how it ended.
void add_trial(const KnownSweep& known, const std::filesystem::path& run, StatusRow& row) {
  const Sweep& sweep = known.sweep;
  row.sweep = from_here(sweep.path()).string();
  const auto trial = sweep.find(run);
  if (!trial) return;
  const TrialState& state = sweep.state(*trial);
  row.status = to_string(state.status);
  row.reason = state.reason;
  if (!state.error.empty()) row.error = state.error;
  if (const auto found = known.apart.find(*trial); found != known.apart.end())
    row.not_counted = found->second;
  const auto task = known.tasks.find(*trial);
  if (task == known.tasks.end()) return;
  const std::filesystem::path log = task_log(sweep, task->second.job, task->second.task);
  row.slurm_task = log.stem().string();
  std::error_code ignored;
  if (!state.error.empty() && std::filesystem::exists(log, ignored))
    row.log = from_here(log).string();
}

std::string line_of(const Sweep& sweep) {
  std::string out = escape(from_here(sweep.path()).string()) + ": " + headline_of(sweep);
  if (sweep.slurm_jobs().empty()) return out;
  out += "; job " + escape(sweep.slurm_jobs().back().id);
  for (size_t i = 0; i < sweep.trials().size(); ++i) {
    const TrialStatus status = sweep.state(i).status;
    if (status == TrialStatus::kQueued || status == TrialStatus::kRunning) return out;
  }
  if (has_more(sweep)) {
    out += "; nothing is queued, go on with: runner resume " +
           escape(from_here(sweep.path()).string());
  }
  return out;
}

// Whether a place is the sweep or lies within it: then its trials are what was asked for.
bool is_asked_for(const std::filesystem::path& sweep, const std::vector<std::string>& places) {
  return std::any_of(places.begin(), places.end(), [&](const std::string& place) {
    const auto rest = std::filesystem::canonical(place).lexically_relative(sweep);
    return !rest.empty() && *rest.begin() != "..";
  });
}

using KnownSweeps = std::map<std::filesystem::path, std::optional<KnownSweep>>;

// Null for one that cannot be read, which hides no other; where it is what was asked for its error
// is thrown.
const KnownSweep* find_sweep(const std::filesystem::path& folder, KnownSweeps& sweeps,
                             bool is_asked_for) {
  const auto [at, is_new] = sweeps.emplace(folder, std::nullopt);
  try {
    if (is_new) at->second.emplace(known_sweep(folder));
  } catch (const Error& error) {
    if (is_asked_for) throw;
    print_warning(error.what());
  }
  return at->second ? &*at->second : nullptr;
}

// A run to show, and what it is a trial of.
struct Shown {
  std::filesystem::path folder;
  const KnownSweep* sweep;
};

std::vector<StatusRow> read_rows(const std::vector<std::filesystem::path>& runs,
                                 const std::vector<Shown>& shown) {
  std::vector<StatusRow> rows = read_status_rows(runs, static_cast<size_t>(allowed_cpus()));
  for (size_t i = 0; i < rows.size(); ++i) {
    if (shown[i].sweep) add_trial(*shown[i].sweep, shown[i].folder, rows[i]);
  }
  return rows;
}

ExitCode status(const StatusOptions& options) {
  const FoundRuns found = find_all_runs(options.places);
  const std::filesystem::path current = std::filesystem::current_path();
  KnownSweeps sweeps;
  std::vector<std::filesystem::path> runs;
  std::vector<Shown> shown;
  for (const std::filesystem::path& run : found.runs) {
    const std::filesystem::path folder = run == "." ? current : current / run;
    const auto sweep = sweep_of(folder);
    const bool is_asked = !sweep.empty() && is_asked_for(sweep, options.places);
    const KnownSweep* known = sweep.empty() ? nullptr : find_sweep(sweep, sweeps, is_asked);
    // Among other runs a sweep is one line.
    if (!options.json && !sweep.empty() && !is_asked) continue;
    runs.push_back(run);
    shown.push_back({folder, known});
  }
  const std::vector<StatusRow> rows = read_rows(runs, shown);
  if (options.json) {
    print_json(status_json(rows));
    return tell_passed_over(found.passed_over);
  }
  if (!rows.empty()) print(status_table(rows, output_width()));
  for (const auto& [folder, known] : sweeps) {
    if (known) print(wrapped(line_of(known->sweep), output_width()));
  }
  return tell_passed_over(found.passed_over);
}

}  // namespace

Action status_verb(CLI::App& app) {
  auto options = std::make_shared<StatusOptions>();
  app.add_option("RUN", options->places, "runs, sweeps, or folders with them; default runs")
      ->transform(path_option())
      ->default_val(std::vector<std::string>{"runs"});
  app.add_flag("--json", options->json, "print JSON");
  return [options] { return status(*options); };
}

}  // namespace vitrine

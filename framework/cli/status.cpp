#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>

#include "framework/cli/passed_over.h"
#include "framework/cli/sweep_view.h"
#include "framework/cli/terminal.h"
#include "framework/cli/verbs.h"
#include "framework/config/node.h"
#include "framework/config/scalar.h"
#include "framework/reports/runs.h"
#include "framework/runs/checkpoint.h"
#include "framework/sweeps/ranking.h"
#include "framework/sweeps/run_sweep.h"
#include "framework/sweeps/slurm.h"
#include "framework/sweeps/slurm_end.h"
#include "framework/training/engine.h"

namespace vitrine {

namespace {

using Json = nlohmann::ordered_json;

struct StatusOptions {
  std::vector<std::string> places;
  bool json = false;
};

Json number_of(const Json& row, const char* key) {
  return row.contains(key) ? row.at(key) : Json();
}

Json or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

// With the reason of an end that the epochs do not explain: "finished (early stopping)".
std::string shown_status_of(const Json& row) {
  const std::string status = row.at("status");
  const Json reason = row.value("stopped_by", Json());
  if (status == "finished" && reason == "early_stopping") return "finished (early stopping)";
  if (status == "finished" && reason == "max_steps") return "finished (max_steps)";
  if (status == "stopped" && reason == "stop_after") return "stopped (--stop-after)";
  if (row.contains("reason"))
    return fmt::format("{} ({})", status, escape(row["reason"].get<std::string>()));
  return status;
}

// That of the newest checkpoint. Throws Error(kCheckpoint).
int64_t saved_step(const RunRecord& run) {
  if (!run.is_readable()) return 0;
  const auto steps = checkpoint_steps(run.path / "checkpoints");
  return steps.empty() ? 0 : steps.back();
}

Json status_of(const RunRecord& run) {
  Json out = {{"run", run.path.string()}};
  const Metrics& metrics = run.metrics;
  std::string error = run.error;
  int64_t saved = 0;
  try {
    saved = saved_step(run);
  } catch (const Error& unreadable) {
    error = unreadable.what();
  }
  if (!error.empty()) {
    out.update({{"status", "unreadable"}, {"error", error}});
    return out;
  }
  const Json last = metrics.history.empty() ? Json::object() : metrics.history.back();
  const auto epochs = run.value("training.epochs");
  Json best;
  for (const Json& row : metrics.history) {
    const Json value = number_of(row, "validation/accuracy");
    if (value.is_number() && (best.is_null() || value > best)) best = value;
  }
  Json changes = Json::array();
  for (const Change& change : metrics.changes) changes.push_back(change.json());
  out.update({{"name", metrics.name},
              {"status", run.status},
              {"stopped_by", or_null(metrics.stopped_by)},
              {"epoch", last.value("epoch", int64_t{0})},
              {"epochs", epochs && epochs->is_number_integer() ? *epochs : Json(0)},
              {"step", std::max(last.value("step", int64_t{0}), saved)},
              {"train/loss", number_of(last, "train/loss")},
              {"best validation/accuracy", best},
              {"test/accuracy", number_of(metrics.test, "test/accuracy")},
              {"exact", metrics.exact},
              {"changes", changes},
              {"tags", metrics.tags},
              {"note", metrics.note}});
  const Json device = metrics.execution.value("device", Json::object());
  const std::string why = device.value("why", "");
  if (why.starts_with(kUnusedGpu)) out["device_reason"] = why;
  return out;
}

std::string percent(const Json& value) {
  return value.is_number() ? fmt::format("{:.2f} %", 100 * value.get<double>()) : "-";
}

// Library errors name the file; what a trial said, or Slurm of its task, does not.
std::string error_of(const Json& row) {
  const std::string run = row.contains("sweep") ? row["run"].get<std::string>() + ": " : "";
  const std::string log =
      row.contains("log") ? "\n  log: " + escape(row["log"].get<std::string>()) : "";
  return escape(run) + escape_lines(row["error"].get<std::string>()) + log;
}

// What resumes changed, where it makes the run another than its config tells: "optimizer.lr 0.01 ->
// 0.1 at step 8".
std::string shown_changes(const Json& row) {
  std::vector<std::string> out;
  for (const Json& change : row.value("changes", Json::array())) {
    if (change.at("exact").get<bool>()) continue;
    out.push_back(fmt::format("{} {} -> {} at step {}", change["key"].get<std::string>(),
                              change["from"].dump(), change["to"].dump(),
                              change["step"].get<int64_t>()));
  }
  return escape(fmt::format("{}", fmt::join(out, ", ")));
}

// The columns of tags and notes, where a run has any.
void add_labels(const Json& rows, std::vector<TableColumn>& columns) {
  constexpr size_t kMostLetters = 40;
  const auto add = [&](const char* name, int rank, const auto& shown) {
    TableColumn column{{name}, rank};
    for (const Json& row : rows) column.cells.push_back(escape(shown(row.value(name, Json()))));
    const auto& cells = column.cells;
    if (!std::all_of(cells.begin() + 1, cells.end(), std::mem_fn(&std::string::empty)))
      columns.push_back(std::move(column));
  };
  add("tags", 2, [](const Json& tags) {
    return fmt::format("{}", fmt::join(tags.is_array() ? tags.get<std::vector<std::string>>()
                                                       : std::vector<std::string>(),
                                       ", "));
  });
  add("note", 3, [](const Json& note) {
    const std::string text = note.is_string() ? note.get<std::string>() : "";
    const std::string line = text.substr(0, text.find('\n'));
    if (count_letters(line) <= kMostLetters) return line + (line == text ? "" : " ...");
    return line.substr(0, byte_of_letter(line, kMostLetters - 3)) + "...";
  });
}

// Where room is short, what is most telling stays.
std::string shown_runs(const Json& rows) {
  std::vector<TableColumn> columns = {{{"run"}},     {{"status"}},  {{"epoch"}},
                                      {{"step"}, 5}, {{"loss"}, 4}, {{"best validation"}, 1},
                                      {{"test"}}};
  std::string notes;
  for (const Json& row : rows) {
    const Json loss = row.value("train/loss", Json());
    const std::string cells[] = {
        escape(row.at("run").get<std::string>()),
        shown_status_of(row),
        row.contains("epoch")
            ? fmt::format("{}/{}", row["epoch"].get<int64_t>(), row["epochs"].get<int64_t>())
            : "-",
        row.contains("step") ? grouped(row["step"].get<int64_t>()) : "-",
        loss.is_number() ? fixed_text(loss.get<double>(), 4) : "-",
        percent(row.value("best validation/accuracy", Json())),
        percent(row.value("test/accuracy", Json()))};
    for (size_t i = 0; i < columns.size(); ++i) columns[i].cells.push_back(cells[i]);
    if (row.contains("error")) notes += "\n" + error_of(row);
    if (!row.value("exact", true)) {
      const std::string changes = shown_changes(row);
      notes += fmt::format("\n{}: not exact{}", escape(row["run"].get<std::string>()),
                           changes.empty() ? "" : ": " + changes);
    }
    if (row.contains("device_reason")) {
      notes +=
          fmt::format("\nwarning: {}: trains on the cpu: {}", escape(row["run"].get<std::string>()),
                      escape(row["device_reason"].get<std::string>()));
    }
    if (row.contains("not_counted")) {
      notes += fmt::format("\n{}: {}: not counted", escape(row["run"].get<std::string>()),
                           escape(row["not_counted"].get<std::string>()));
    }
  }
  add_labels(rows, columns);
  const size_t width = output_width();
  return fitted(std::move(columns), width).text + wrapped(notes, width);
}

Sweep open_sweep(const std::filesystem::path& folder) {
  Sweep out = Sweep::open(folder);
  try {
    mark_queued(out);
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
void add_trial(const KnownSweep& known, const std::filesystem::path& run, Json& row) {
  const Sweep& sweep = known.sweep;
  row["sweep"] = std::filesystem::proximate(sweep.path()).string();
  const auto trial = sweep.find(run);
  if (!trial) return;
  const TrialState& state = sweep.state(*trial);
  row["status"] = to_string(state.status);
  if (!state.reason.empty()) row["reason"] = state.reason;
  if (!state.error.empty()) row["error"] = state.error;
  if (const auto found = known.apart.find(*trial); found != known.apart.end())
    row["not_counted"] = found->second;
  const auto task = known.tasks.find(*trial);
  if (task == known.tasks.end()) return;
  const std::filesystem::path log = task_log(sweep, task->second.job, task->second.task);
  row["slurm_task"] = log.stem().string();
  std::error_code ignored;
  if (!state.error.empty() && std::filesystem::exists(log, ignored))
    row["log"] = std::filesystem::proximate(log).string();
}

std::string line_of(const Sweep& sweep) {
  std::string out =
      escape(std::filesystem::proximate(sweep.path()).string()) + ": " + headline_of(sweep);
  if (sweep.slurm_jobs().empty()) return out;
  out += "; job " + escape(sweep.slurm_jobs().back().id);
  for (size_t i = 0; i < sweep.trials().size(); ++i) {
    const TrialStatus status = sweep.state(i).status;
    if (status == TrialStatus::kQueued || status == TrialStatus::kRunning) return out;
  }
  if (has_more(sweep)) {
    out += "; nothing is queued, go on with: runner resume " +
           escape(std::filesystem::proximate(sweep.path()).string());
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

ExitCode status(const StatusOptions& options) {
  Json rows = Json::array();
  KnownSweeps sweeps;
  PassedOver passed_over;
  for (const RunRecord& run : kept_runs(options.places, passed_over)) {
    std::error_code gone;  // a run that was removed just now is no reason to hide the others
    auto folder = std::filesystem::canonical(run.path, gone);
    if (gone) folder = run.path;
    const auto sweep = sweep_of(folder);
    if (sweep.empty()) {
      rows.push_back(status_of(run));
      continue;
    }
    const bool is_asked = is_asked_for(sweep, options.places);
    const KnownSweep* known = find_sweep(sweep, sweeps, is_asked);
    // Among other runs a sweep is one line.
    if (!options.json && !is_asked) continue;
    rows.push_back(status_of(run));
    if (known) add_trial(*known, folder, rows.back());
  }
  if (options.json) {
    print_json(rows);
    return tell_passed_over(passed_over);
  }
  if (!rows.empty()) print(shown_runs(rows));
  for (const auto& [folder, known] : sweeps) {
    if (known) print(wrapped(line_of(known->sweep), output_width()));
  }
  return tell_passed_over(passed_over);
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

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "framework/cli/sweep_view.h"
#include "framework/cli/terminal.h"
#include "framework/cli/verbs.h"
#include "framework/config/yaml.h"
#include "framework/runs/checkpoint.h"
#include "framework/runs/metrics.h"
#include "framework/runs/run_directory.h"
#include "framework/sweeps/slurm.h"

namespace vitrine {

namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::vector<std::string> places;
  bool json = false;
};

Json number_of(const Json& row, const char* key) {
  return row.contains(key) ? row.at(key) : Json();
}

// A run that was killed before its first metrics.json has a config at most.
Metrics metrics_of(const RunDirectory& run) {
  if (std::filesystem::exists(run.metrics())) return Metrics::read(run.metrics());
  Metrics out;
  if (!std::filesystem::exists(run.config())) return out;
  out.config = read_yaml(run.config()).json();
  out.name = out.config.value("name", "");
  return out;
}

// Of the newest checkpoint or the last epoch's end, whichever came later.
int64_t step_of(const RunDirectory& run, const Json& last_epoch) {
  const auto steps = checkpoint_steps(run.checkpoints());
  return std::max(last_epoch.value("step", int64_t{0}), steps.empty() ? 0 : steps.back());
}

Json status_of(const std::filesystem::path& run) {
  Json out = {{"run", run.string()}};
  try {
    const RunDirectory directory = RunDirectory::open(run);
    const Metrics metrics = metrics_of(directory);
    const Json last = metrics.history.empty() ? Json::object() : metrics.history.back();
    Json best;
    for (const Json& row : metrics.history) {
      const Json value = number_of(row, "validation/accuracy");
      if (value.is_number() && (best.is_null() || value > best)) best = value;
    }
    out.update({{"name", metrics.name},
                {"status", shown_status(run)},
                {"epoch", last.value("epoch", 0)},
                {"epochs", metrics.config.value("/training/epochs"_json_pointer, 0)},
                {"step", step_of(directory, last)},
                {"train/loss", number_of(last, "train/loss")},
                {"best validation/accuracy", best},
                {"test/accuracy", number_of(metrics.test, "test/accuracy")},
                {"exact", metrics.exact}});
  } catch (const Error& error) {
    out.update({{"status", "unreadable"}, {"error", error.what()}});
  }
  return out;
}

std::string percent(const Json& value) {
  return value.is_number() ? fmt::format("{:.2f} %", 100 * value.get<double>()) : "-";
}

// Library errors name the file; the last line of a trial does not.
std::string error_of(const Json& row) {
  const std::string run = row.contains("sweep") ? row["run"].get<std::string>() + ": " : "";
  return escape(run) + escape(row["error"].get<std::string>());
}

std::string shown(const Json& rows) {
  std::vector<std::vector<std::string>> lines = {
      {"run", "status", "epoch", "step", "loss", "best validation", "test"}};
  std::string errors;
  for (const Json& row : rows) {
    const Json loss = row.value("train/loss", Json());
    lines.push_back({escape(row.at("run").get<std::string>()), row.at("status"),
                     row.contains("epoch") ? fmt::format("{}/{}", row["epoch"].get<int64_t>(),
                                                         row["epochs"].get<int64_t>())
                                           : "-",
                     row.contains("step") ? grouped(row["step"].get<int64_t>()) : "-",
                     loss.is_number() ? fmt::format("{:.4f}", loss.get<double>()) : "-",
                     percent(row.value("best validation/accuracy", Json())),
                     percent(row.value("test/accuracy", Json()))});
    if (row.contains("error")) errors += "\n" + error_of(row);
  }
  return table(lines) + errors;
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

// The newest task of Slurm's that is about this trial: "12_3".
std::string task_of(const Sweep& sweep, size_t trial) {
  std::string out;
  for (const SlurmJob& job : sweep.slurm_jobs()) {
    for (size_t task = 0; task < job.tasks.size(); ++task) {
      const auto& trials = job.tasks[task];
      if (std::find(trials.begin(), trials.end(), trial) != trials.end())
        out = fmt::format("{}_{}", job.id, task);
    }
  }
  return out;
}

// Of a trial the sweep knows more: that it waits, that it is paused, how it ended.
void add_trial(const Sweep& sweep, const std::filesystem::path& run, Json& row) {
  row["sweep"] = std::filesystem::proximate(sweep.path()).string();
  const auto trial = sweep.find(run);
  if (!trial) return;
  const TrialState& state = sweep.state(*trial);
  row["status"] = to_string(state.status);
  if (!state.error.empty()) row["error"] = state.error;
  const std::string task = task_of(sweep, *trial);
  if (!task.empty()) row["slurm_task"] = task;
}

std::string line_of(const Sweep& sweep) {
  std::string out =
      escape(std::filesystem::proximate(sweep.path()).string()) + ": " + headline_of(sweep);
  if (!sweep.slurm_jobs().empty()) out += "; job " + escape(sweep.slurm_jobs().back().id);
  return out;
}

// Whether `place` is the sweep or lies within it: then its trials are what was asked for.
bool is_within(const std::filesystem::path& place, const std::filesystem::path& sweep) {
  const auto rest = place.lexically_relative(sweep);
  return !rest.empty() && *rest.begin() != "..";
}

ExitCode status(const Options& options) {
  Json rows = Json::array();
  std::map<std::filesystem::path, Sweep> sweeps;
  for (const std::string& place : options.places) {
    const auto folder = std::filesystem::canonical(std::filesystem::exists(place) ? place : ".");
    const auto runs = find_runs(folder);
    if (!std::filesystem::exists(place) || runs.empty())
      RunDirectory::open(place);  // throws what a user needs to know
    for (const auto& run : runs) {
      const auto sweep = sweep_of(run);
      if (sweep.empty()) {
        rows.push_back(status_of(std::filesystem::proximate(run)));
        continue;
      }
      auto known = sweeps.find(sweep);
      if (known == sweeps.end()) known = sweeps.emplace(sweep, open_sweep(sweep)).first;
      // Among other runs a sweep is one line.
      if (!options.json && !is_within(folder, sweep)) continue;
      rows.push_back(status_of(std::filesystem::proximate(run)));
      add_trial(known->second, run, rows.back());
    }
  }
  if (options.json) {
    print(rows.dump(2));
    return ExitCode::kDone;
  }
  if (!rows.empty()) print(shown(rows));
  for (const auto& [folder, sweep] : sweeps) print(line_of(sweep));
  return ExitCode::kDone;
}

}  // namespace

Action status_verb(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("RUN", options->places, "runs, sweeps, or folders with them; default runs")
      ->default_val(std::vector<std::string>{"runs"});
  app.add_flag("--json", options->json, "print JSON");
  return [options] { return status(*options); };
}

}  // namespace vitrine

#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "framework/runs/annotations.h"
#include "framework/runs/find_runs.h"
#include "framework/runs/metrics.h"

namespace vitrine {

// A run as status, tables and charts take it. One that cannot be read is kept: its `error` tells
// why, and the rest is empty.
struct RunRecord {
  std::filesystem::path path;  // relative where it lies below the current folder
  std::string status;          // as in metrics.json, or "waiting", "interrupted" or "unreadable"
  std::string error;           // begins with the file; its control characters are escaped
  Metrics metrics;             // before the first metrics.json: name, labels and config alone
  // flat_config(metrics.config), which is empty then.
  nlohmann::ordered_json config = nlohmann::ordered_json::object();
  Labels own = {};  // those of its config; metrics and config have what was annotated since, too

  bool is_readable() const { return error.empty(); }
  bool is_finished() const { return status == "finished"; }

  // A value by the name that people know: a key of the config ("model.hidden_d", "model.mlp"; of
  // "device", "threads" and the like what was taken), a
  // metric of the summary or, until there is one, of the last epoch ("test/accuracy"; "seconds" are
  // those of all epochs), a member of the model, the dataset or the environment
  // ("model.parameters", "dataset.sha256", "environment.git"), "run", "status", "exact", "started",
  // "finished" or "stopped_by". In this order; none where the run has no such value, or null for a
  // metric.
  std::optional<nlohmann::ordered_json> value(const std::string& name) const;
  // All names that value() knows for this run.
  std::vector<std::string> names() const;
};

// "model.hidden_d": 8, in the config's order. A component is named by its key alone, as configs
// are written ("model.mlp": "gelu"); lists stay values.
nlohmann::ordered_json flat_config(nlohmann::ordered_json config);

RunRecord read_run(const std::filesystem::path& run);

// The runs at and below `places`: folders of a run, of runs or of a sweep, each run once, in the
// order of the places and within one by path. Throws Error(kUsage) for a place without any run, and
// Error(kFailed) where it, or what it may be in, cannot be read.
FoundRuns find_all_runs(const std::vector<std::string>& places);

// Reads each run and calls `take(i, run)` with it, on several threads and in any order: whoever
// needs little of each run keeps that alone.
void read_each(const std::vector<std::filesystem::path>& runs, size_t threads,
               const std::function<void(size_t, RunRecord)>& take);

// `passed_over`, if given, takes what the search did not look into.
std::vector<RunRecord> read_runs(const std::vector<std::string>& places, size_t threads,
                                 PassedOver* passed_over = nullptr);
// Reads them on all CPUs that are allowed, for a program that shows them and ends: they are never
// destroyed, which would take as long as reading them.
std::vector<RunRecord>& kept_runs(const std::vector<std::string>& places, PassedOver& passed_over);

}  // namespace vitrine

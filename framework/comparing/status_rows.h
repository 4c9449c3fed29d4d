#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "framework/comparing/runs.h"

// What `runner status` shows.
namespace vitrine {

// What is shown of a run. Numbers are null where there are none.
struct StatusRow {
  std::string run, status, error;  // with an error all below may be empty
  bool is_readable = false;
  std::string name, stopped_by, note, device_reason;
  int64_t epoch = 0, step = 0;
  std::vector<std::string> hosts;  // of its ranks, where it has several
  nlohmann::ordered_json epochs = 0, loss;
  std::string judged_by;  // Metrics::judged_by
  MetricInfo info;        // of it
  nlohmann::ordered_json best, test;
  bool exact = true;
  std::vector<Change> changes;
  std::vector<std::string> tags;
  // What the sweep of a trial knows of it.
  std::string sweep, reason, not_counted, slurm_task, log;
};

// The rows of `runs`, in their order. A run that cannot be read, or whose checkpoints cannot, has a
// row that says why.
std::vector<StatusRow> read_status_rows(const std::vector<std::filesystem::path>& runs,
                                        size_t threads);

nlohmann::ordered_json status_json(const std::vector<StatusRow>& rows);

// A table for a terminal of that many columns, with notes below it.
std::string status_table(const std::vector<StatusRow>& rows, size_t width);

}  // namespace vitrine

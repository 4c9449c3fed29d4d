#pragma once

#include <fmt/format.h>

#include "framework/runs/metrics.h"
#include "framework/sweeps/sweep.h"
#include "tests/framework/files/support.h"

namespace vitrine {

// A sweep's folder whose trials are files that a test writes.
class SweepFolder : public TemporaryFolder {
 public:
  // Trials of 9 epochs of 10 steps; `seeds` of them, one after the other, are of one cell.
  SweepFolder(size_t trials, const std::string& options, size_t seeds = 1) {
    write_plain(*this / "sweep.yaml", "sweep: " + options + "\n");
    const bool by_loss = options.find("validation/loss") != options.npos;
    nlohmann::ordered_json plan = {{"format", 1},
                                   {"chosen_by",
                                    {{"name", by_loss ? "validation/loss" : "validation/accuracy"},
                                     {"goal", by_loss ? "min" : "max"},
                                     {"unit", by_loss ? "nats" : "fraction"}}},
                                   {"has_best", true},
                                   {"jobs", 1},
                                   {"left_out", nlohmann::ordered_json::array()},
                                   {"trials", nlohmann::ordered_json::array()}};
    for (size_t i = 0; i < trials; ++i) {
      Trial trial;
      trial.folder = fmt::format("{:04}-cell", i + 1);
      trial.cell = "cell " + std::to_string(i / seeds);
      trial.seed = static_cast<int64_t>(i % seeds);
      trial.values = nlohmann::ordered_json::object();
      trial.epochs = 9;
      trial.steps_per_epoch = 10;
      trial.cost = 1;
      plan["trials"].push_back(trial.json());
      std::filesystem::create_directories(run(i) / "checkpoints");
      write_plain(run(i) / "config.yaml", "threads: 1\n");
    }
    write_plain(*this / "plan.json", plan.dump());
  }

  std::filesystem::path run(size_t trial) const {
    return path() / "trials" / fmt::format("{:04}-cell", trial + 1);
  }

  // As training leaves it after these epochs' values of the metric.
  void write(size_t trial, RunStatus status, const std::vector<double>& values,
             const std::string& metric = "validation/accuracy",
             const std::vector<Change>& changes = {}) const {
    Metrics metrics;
    metrics.status = status;
    metrics.changes = changes;
    for (size_t i = 0; i < values.size(); ++i)
      metrics.add_epoch({{"epoch", i + 1}, {"step", 10 * (i + 1)}, {metric, values[i]}});
    metrics.write(run(trial) / "metrics.json");
  }
};

}  // namespace vitrine

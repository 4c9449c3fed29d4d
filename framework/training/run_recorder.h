#pragma once

#include "framework/runs/metrics.h"
#include "framework/runs/metrics_file.h"
#include "framework/runs/run_directory.h"
#include "framework/training/run_log.h"

namespace vitrine {

// What a run tells in its folder as it goes on: the rows of metrics.jsonl, and metrics.json.
class RunRecorder {
 public:
  // Of a new run: rows of no run that is known are set aside.
  static RunRecorder begin(const RunDirectory& directory, RunLog& log);
  // Of one that is resumed. What it told before is read; of one whose metrics.json is of no use its
  // checkpoints and rows know what is needed to go on. Throws Error(kData) where that cannot be
  // read.
  static RunRecorder resume(const RunDirectory& directory, RunLog& log);

  Metrics& metrics() { return metrics_; }
  const Metrics& metrics() const { return metrics_; }
  const MetricRows& rows() const { return rows_; }

  void append(const Metrics::Object& row) { rows_.append(row); }
  void flush() { rows_.flush(); }  // rows to the disk
  void write();                    // metrics.json; a damaged one is set aside before
  void write_if_cheap() { file_.write_if_cheap(metrics_); }

  // Takes up the rows that a checkpoint of `step`, in this epoch, was saved with. False where they
  // are not these: they only report, so that a run goes on with the epochs that metrics.json tells.
  bool take_up_rows(uint64_t length, const std::string& sha256, int64_t step, int64_t epoch);
  // Drops what is behind them.
  void cut_rows() { rows_.cut(); }
  // Sets what there is aside, and makes rows of the epochs that are known.
  void mend_rows();

 private:
  RunRecorder(const RunDirectory& directory, RunLog& log)
      : log_(log),
        rows_place_(directory.rows()),
        metrics_place_(directory.metrics()),
        rows_(rows_place_),
        file_(metrics_place_) {}
  void drop_epochs_behind(int64_t step, int64_t epoch);

  RunLog& log_;
  Place rows_place_, metrics_place_;
  Metrics metrics_;
  MetricRows rows_;
  MetricsFile file_;  // of metrics_
  bool is_damaged_ = false;
};

}  // namespace vitrine

#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "framework/comparing/runs.h"

// Runs that are followed while they go on. Nothing is written, and of a run that is not going on
// the lock is asked for once, not each time.
namespace vitrine {

// What is shown of a run. Numbers are NaN where there are none.
struct WatchedRow {
  std::string run, status, error;
  int64_t epoch = 0, epochs = 0;  // the one under way, from 1
  int64_t step = 0, steps = 0;    // 0: how many there will be is not known
  double loss, validation, images_per_second, seconds_left;
  std::string judged_by;  // Metrics::judged_by
  MetricInfo info;        // of it
  // Of epochs, or of the last steps while there are few epochs; in their order.
  std::vector<double> losses, validations;

  bool is_running() const { return status == "running"; }
  // It does not go on, nor is it about to.
  bool has_ended() const { return !is_running() && status != "waiting"; }
};

class WatchedRun {
 public:
  using Clock = std::chrono::steady_clock;

  explicit WatchedRun(std::filesystem::path run);
  const WatchedRow& row() const { return row_; }
  // Reads what has changed. What is half written is read the next time.
  void refresh(Clock::time_point now);
  bool changed_before(const WatchedRun& other) const { return changed_[1] < other.changed_[1]; }

 private:
  // When a file was changed, and how long it is; {0, 0} where there is none.
  using Stamp = std::pair<int64_t, int64_t>;

  std::array<Stamp, 3> stamps() const;
  void read_all();
  void read_new_rows();
  void show(Clock::time_point now);
  void show_speed(Clock::time_point now);

  std::filesystem::path run_;
  WatchedRow row_;
  RunRecord record_;                // of one that goes on
  std::array<Stamp, 3> changed_{};  // .lock, metrics.json and metrics.jsonl
  bool is_known_ = false;
  bool begins_ = false;           // it has no lock and no metrics yet
  int64_t read_ = 0;              // bytes of metrics.jsonl
  int64_t epoch_ = 0, step_ = 0;  // of its last row
  std::vector<double> step_losses_;
  std::optional<std::pair<Clock::time_point, int64_t>> first_seen_;  // a step, and when
  std::pair<Clock::time_point, int64_t> last_seen_{};
};

// The runs at and below places, which may come and go.
class WatchedRuns {
 public:
  // Throws Error as find_all_runs does where a place is not there, or cannot be read; a folder
  // without runs is none of these.
  explicit WatchedRuns(std::vector<std::string> places);

  // Whether one run was asked for, and no folder.
  bool is_one() const { return is_one_; }
  void refresh();
  const PassedOver& passed_over() const { return passed_over_; }  // by the last search
  // Those that go on first, then those that wait, then what ended last.
  std::vector<const WatchedRow*> rows() const;

 private:
  std::vector<std::string> places_;
  bool is_one_ = false;
  PassedOver passed_over_;
  std::map<std::filesystem::path, WatchedRun> runs_;
};

}  // namespace vitrine

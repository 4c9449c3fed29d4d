#pragma once

#include <deque>
#include <optional>

#include "framework/sweeps/sweep.h"

namespace vitrine {

// One process to start: a trial, and the step after which it pauses.
struct TrialStart {
  size_t trial;
  std::optional<int64_t> stop_after;
};

// Where a search that learns gets further cells from.
class CellSource {
 public:
  virtual ~CellSource() = default;
  // Adds the next cell to the sweep, and returns its trials; none: there is none now.
  virtual std::vector<size_t> next() = 0;
};

// What of a sweep is to be run next.
class Scheduler {
 public:
  virtual ~Scheduler() = default;
  // The next task; none: nothing now. Asked again after every end, while trials run.
  virtual std::optional<TrialStart> next() = 0;
  // The task's process has ended and the sweep has read its state.
  virtual void ended(const TrialStart& task) = 0;
  // Whether the trial has all that it is to have.
  virtual bool is_done(size_t trial) const = 0;
};

// Whether the trial is to be run: it is not finished, and, unless `retry_failed`, has not failed.
bool is_due(const TrialState& state, bool retry_failed);

// Every trial of the search, or of its confirmation, to its end; the longest first, so that all
// cores end together; then those of cells that `more` proposes.
class ListScheduler : public Scheduler {
 public:
  ListScheduler(const Sweep& sweep, bool confirms, bool retry_failed, CellSource* more = nullptr);
  std::optional<TrialStart> next() override;
  void ended(const TrialStart&) override {}
  bool is_done(size_t trial) const override;

 private:
  const Sweep& sweep_;
  CellSource* more_;
  std::deque<size_t> waiting_;
};

}  // namespace vitrine

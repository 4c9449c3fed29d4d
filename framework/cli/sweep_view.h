#pragma once

#include <chrono>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "framework/sweeps/launcher.h"

namespace vitrine {

// A trial as messages call it: "hidden_d=8 n_heads=2, seed 0".
std::string trial_label(const Sweep& sweep, size_t trial);

// "36 trials: 30 finished, 2 running, 4 waiting"
std::string counts_text(const Sweep& sweep);
// A line about the whole sweep, with the time `left` and the best so far.
std::string headline_of(const Sweep& sweep, const std::string& left = "");
// The cells that have trials with a value, best first, and those that failed, as a table; empty
// where there is no best.
std::string best_cells(const Sweep& sweep, size_t most);

// Shows a sweep under way: a table that changes on a terminal, a line for each trial elsewhere.
class SweepView : public SweepObserver {
 public:
  SweepView(const Sweep& sweep, bool quiet);
  ~SweepView() override;
  void started(size_t trial) override;
  void ended(size_t trial) override;
  void tick() override;
  void submitting(const std::vector<size_t>& trials) override {
    if (before_submitting_) before_submitting_(trials);
  }
  void before_submitting(std::function<void(const std::vector<size_t>&)> work) {
    before_submitting_ = std::move(work);
  }
  void warning(const std::string& text) override;
  ExitCode stop_requested() override;

 private:
  using Clock = std::chrono::steady_clock;
  void clear();
  void draw();
  double share_done() const;
  std::string time_left() const;

  const Sweep& sweep_;
  bool quiet_, terminal_, stopping_ = false;
  std::function<void(const std::vector<size_t>&)> before_submitting_;
  std::set<size_t> running_;
  Clock::time_point begin_ = Clock::now(), drawn_{};
  double done_before_ = 0;  // share of all that was done when this began
  size_t lines_ = 0;        // of the table on the terminal
};

}  // namespace vitrine

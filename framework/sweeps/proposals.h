#pragma once

#include <functional>
#include <memory>

#include "framework/sweeps/planner.h"
#include "framework/sweeps/scheduler.h"

namespace vitrine {

// What is known of the cells of a sweep, in their order, by what their trials' folders tell.
std::vector<Observation> observations(const Sweep& sweep);
// What the search knew as it proposed cell number `cell`, from what was written down then. Of the
// first, which were drawn by chance, nothing.
std::vector<Observation> seen_by(const Sweep& sweep, size_t cell);

// The cells of a search that learns, proposed one by one as others end. A proposal follows from the
// sweep's seed, its own number and what is known then, which is written down with it: `saw` names,
// of the cells of which something else is known than at the proposal before, their numbers (from 1)
// and their values; beside a value how many epochs it is of, where trials are stopped early.
class Proposals : public CellSource {
 public:
  // What a cell's config is resolved within: the trials' surroundings.
  using Surroundings = std::function<void(const std::function<void()>& act)>;

  // `grown`: the sweep's, with plug-ins as this process has loaded them. `threads`: of a trial,
  // where its config does not say; `most_open`: no cell is proposed while so many are under way;
  // none: whoever asks has room for another.
  Proposals(Sweep& sweep, SweepSpec spec, Grown grown, Engine& engine, int64_t threads,
            std::optional<size_t> most_open, Surroundings surroundings);
  std::vector<size_t> next() override;

 private:
  size_t open_cells() const;
  std::vector<size_t> propose();

  Sweep& sweep_;
  SweepSpec spec_;
  Grown grown_;
  Engine& engine_;
  int64_t threads_;
  std::optional<size_t> most_open_;
  Surroundings surroundings_;
  std::unique_ptr<Planner> planner_;  // once it is needed
  Plan plan_;                         // with all cells
};

}  // namespace vitrine

#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "framework/registry/registry.h"
#include "framework/sweeps/dimension.h"

namespace vitrine {

class CellSource;
class Scheduler;
class Sweep;
struct CellResult;
struct Plan;
struct SweepSpec;

// What became of a cell that was tried.
struct Observation {
  enum class State { kKnown, kFailed, kRunning };

  SearchPoint point;
  State state = State::kRunning;
  double loss = 0;     // of a known one; smaller is better
  int64_t epochs = 0;  // of trials that are stopped early: one that was taken further is the better
};

// How a sweep chooses what it tries, and how far it takes it (`sweep.method`).
class Searcher : public Registered {
 public:
  static constexpr const char* kKind = "searcher";
  struct Context {};

  virtual ~Searcher() = default;

  // Whether cells are drawn, sweep.trials of them; else every combination of what is listed is one.
  virtual bool draws() const { return true; }
  // How many cells are drawn by chance before the others are proposed one by one; none: all are.
  virtual std::optional<int64_t> startup() const { return std::nullopt; }
  // Cells to try next, the best first, by what is known of earlier ones, in their order. The same
  // `seed` and the same observations give the same. Several, since some may be impossible.
  virtual std::vector<SearchPoint> propose(const std::vector<Dimension>&,
                                           const std::vector<Observation>&,
                                           uint64_t /*seed*/) const {
    return {};
  }
  // What is known of a cell by now; none: somebody made it another experiment.
  virtual std::optional<Observation> observe(const Sweep& sweep, const CellResult& cell) const;

  // Whether trials pause on their way, and only some of them are gone on with.
  virtual bool pauses() const { return false; }
  // Throws ConfigError for a plan whose trials it cannot compare.
  virtual void check(const Plan&, const SweepSpec&) const {}
  // What runs the trials. `more`: where further ones come from; may be null.
  virtual std::unique_ptr<Scheduler> scheduler(const Sweep& sweep, bool retry_failed,
                                               CellSource* more) const;
};

}  // namespace vitrine

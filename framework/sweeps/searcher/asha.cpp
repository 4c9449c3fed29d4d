#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "framework/config/scalar.h"
#include "framework/registry/register.h"
#include "framework/sweeps/plan_checks.h"
#include "framework/sweeps/ranking.h"
#include "framework/sweeps/scheduler.h"
#include "framework/sweeps/searcher.h"

namespace vitrine {
namespace {

struct AshaOptions {
  int64_t min_epochs = 1, eta = 3;
  Choice<Searcher> sampler{"random"};

  void visit(Fields& field) {
    field("min_epochs", min_epochs, "epochs after which it first compares", at_least(1))
        .words({"grace_period", "min_resource"});
    field("eta", eta, "it goes on with one of so many trials, for so many times the epochs",
          at_least(2))
        .words({"reduction_factor"});
    field("sampler", sampler, "what draws or proposes the cells: random, tpe");
  }
  void check(Check& check) const {
    if (!sampler.valid()) return;
    const auto made = sampler.create({});
    if (made->draws() && !made->pauses()) return;
    check.error({"sampler"}, fmt::format("{} draws no cells that asha could compare; random and "
                                         "tpe do",
                                         sampler.type()));
  }
};

// Epochs after which trials are compared: min_epochs, times eta each, below the full length.
std::vector<int64_t> rungs_of(const AshaOptions& options, int64_t epochs) {
  std::vector<int64_t> out;
  for (int64_t rung = options.min_epochs; rung < epochs; rung *= options.eta) {
    out.push_back(rung);
    if (rung > epochs / options.eta) break;  // the next one might be none that can be counted
  }
  return out;
}

// Asynchronous successive halving (Li et al., "A System for Massively Parallel Hyperparameter
// Tuning", 2020): whoever is free goes on with a trial that is among the best 1/eta of its rung, or
// else starts a new one. Nobody waits for a rung to fill. The best trial is always trained to its
// end. A trial that diverged or failed counts as the worst of its rung, and one of a cell that has
// such a trial as worse than those of cells that have none.
class AshaScheduler : public Scheduler {
 public:
  AshaScheduler(const Sweep& sweep, const AshaOptions& options, bool retry_failed,
                CellSource* more);
  std::optional<TrialStart> next() override;
  void ended(const TrialStart& task) override;
  bool is_done(size_t trial) const override;

 private:
  bool is_available(size_t trial) const;
  size_t rungs_reached(size_t trial) const;
  size_t rungs_of_running() const;
  std::optional<TrialStart> find_next();
  std::optional<TrialStart> start_new();
  bool is_between_rungs(size_t trial) const;
  bool is_failed(size_t trial) const;
  std::map<std::string, size_t> failures() const;
  std::vector<size_t> best_first(const std::vector<size_t>& trials, size_t rung) const;
  bool has_winner() const;
  std::optional<size_t> promotable(size_t rung, bool at_least_one) const;
  TrialStart task(size_t trial);

  const Sweep& sweep_;
  const AshaOptions& options_;
  bool retry_failed_;
  CellSource* more_;

  std::vector<int64_t> rungs_;
  std::vector<size_t> trials_;  // those that the search is about
  std::set<size_t> apart_;      // of them those that somebody changed; they are compared with none
  std::set<size_t> running_, given_up_;
  std::optional<size_t> idle_;  // rungs_of_running() when there was nothing to do
};

AshaScheduler::AshaScheduler(const Sweep& sweep, const AshaOptions& options, bool retry_failed,
                             CellSource* more)
    : sweep_(sweep), options_(options), retry_failed_(retry_failed), more_(more) {
  for (size_t i = 0; i < sweep.trials().size(); ++i) {
    if (!sweep.trials()[i].confirms) trials_.push_back(i);
  }
  for (const CellResult& cell : all_cells(sweep, false)) {
    for (const auto& [trial, reason] : cell.apart) apart_.insert(trial);
    if (!cell.departure.empty()) apart_.insert(cell.trials.begin(), cell.trials.end());
  }
  rungs_ = rungs_of(options, sweep.trials()[0].epochs);
}

bool AshaScheduler::is_available(size_t trial) const {
  return !running_.contains(trial) && !given_up_.contains(trial) &&
         is_due(sweep_.state(trial), retry_failed_);
}

// How many rungs the trial has been compared at. One that ended early has nothing more to show.
size_t AshaScheduler::rungs_reached(size_t trial) const {
  const TrialState& state = sweep_.state(trial);
  if (state.status == TrialStatus::kFinished) return rungs_.size();
  return static_cast<size_t>(
      std::count_if(rungs_.begin(), rungs_.end(), [&](int64_t r) { return state.epoch >= r; }));
}

// Whether it was on its way to a rung when it was stopped.
bool AshaScheduler::is_between_rungs(size_t trial) const {
  const TrialState& state = sweep_.state(trial);
  if (state.step == 0) return state.status != TrialStatus::kWaiting;
  const bool at_rung = std::find(rungs_.begin(), rungs_.end(), state.epoch) != rungs_.end();
  return !at_rung || state.step != state.epoch * sweep_.trials()[trial].steps_per_epoch;
}

// Not one that is to be run again still.
bool AshaScheduler::is_failed(size_t trial) const {
  const TrialState& state = sweep_.state(trial);
  return state.is_failed() && !state.is_open && !is_available(trial) && !apart_.contains(trial);
}

// Of the cells that have such trials, how many.
std::map<std::string, size_t> AshaScheduler::failures() const {
  std::map<std::string, size_t> out;
  for (const size_t trial : trials_) {
    if (is_failed(trial)) ++out[sweep_.trials()[trial].cell];
  }
  return out;
}

// By failures, then by what they had reached after the epochs of that rung; equal trials keep their
// order.
std::vector<size_t> AshaScheduler::best_first(const std::vector<size_t>& trials,
                                              size_t rung) const {
  const bool larger = sweep_.chosen_by().larger_is_better();
  const auto failed_of = failures();
  std::vector<std::pair<std::tuple<bool, size_t, bool, double>, size_t>> order;
  for (const size_t trial : trials) {
    const auto found = failed_of.find(sweep_.trials()[trial].cell);
    const auto value = sweep_.state(trial).best(larger, rungs_[rung]);
    const double loss = larger ? -value.value_or(0) : value.value_or(0);
    order.push_back(
        {{is_failed(trial), found == failed_of.end() ? 0 : found->second, !value.has_value(), loss},
         trial});
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<size_t> out;
  for (const auto& [place, trial] : order) out.push_back(trial);
  return out;
}

// The best trial that waits at `rung` among the best 1/eta of all that came so far.
std::optional<size_t> AshaScheduler::promotable(size_t rung, bool at_least_one) const {
  std::vector<size_t> reached;
  size_t failed = 0;
  for (const size_t trial : trials_) {
    if (apart_.contains(trial)) continue;
    if (rungs_reached(trial) > rung) {
      reached.push_back(trial);
    } else if (is_failed(trial) && rungs_reached(trial) == rung) {
      ++failed;  // came that far, as the worst
    }
  }
  reached = best_first(reached, rung);
  size_t best = (reached.size() + failed) / static_cast<size_t>(options_.eta);
  if (at_least_one) best = std::max<size_t>(best, 1);
  for (size_t i = 0; i < std::min(best, reached.size()); ++i) {
    if (is_available(reached[i]) && rungs_reached(reached[i]) == rung + 1 &&
        !is_between_rungs(reached[i]))
      return reached[i];
  }
  return std::nullopt;
}

TrialStart AshaScheduler::task(size_t trial) {
  running_.insert(trial);
  const size_t next = rungs_reached(trial);
  if (next >= rungs_.size()) return {trial, std::nullopt};
  return {trial, rungs_[next] * sweep_.trials()[trial].steps_per_epoch};
}

// Whether a trial has finished that can be the best: one of a cell without failures, as long as
// there are such cells.
bool AshaScheduler::has_winner() const {
  const auto failed_of = failures();
  bool any = false, is_open = false;
  for (const size_t trial : trials_) {
    const bool is_finished = sweep_.state(trial).status == TrialStatus::kFinished;
    const bool is_sound = !failed_of.contains(sweep_.trials()[trial].cell);
    if (apart_.contains(trial)) continue;
    if (is_finished && is_sound) return true;
    any |= is_finished;
    is_open |= is_sound && is_available(trial);
  }
  return any && !is_open;
}

size_t AshaScheduler::rungs_of_running() const {
  size_t out = 0;
  for (const size_t trial : running_) out += rungs_reached(trial);
  return out;
}

// It is asked again and again while trials run, and has an answer only once one has come further.
std::optional<TrialStart> AshaScheduler::next() {
  if (idle_ && *idle_ == rungs_of_running()) return std::nullopt;
  idle_.reset();
  const auto out = find_next();
  if (!out) idle_ = rungs_of_running();
  return out;
}

// One that was never started, or the first of a cell that is proposed now.
std::optional<TrialStart> AshaScheduler::start_new() {
  for (const size_t trial : trials_) {
    if (is_available(trial) && sweep_.state(trial).step == 0) return task(trial);
  }
  const auto added = more_ ? more_->next() : std::vector<size_t>();
  trials_.insert(trials_.end(), added.begin(), added.end());
  if (added.empty()) return std::nullopt;
  return task(added[0]);
}

std::optional<TrialStart> AshaScheduler::find_next() {
  for (const size_t trial : trials_) {
    if (is_available(trial) && is_between_rungs(trial)) return task(trial);
  }
  for (size_t rung = rungs_.size(); rung-- > 0;) {
    if (const auto trial = promotable(rung, false)) return task(*trial);
  }
  if (const auto trial = start_new()) return trial;
  if (!running_.empty() || has_winner()) return std::nullopt;
  for (size_t rung = rungs_.size(); rung-- > 0;) {
    if (const auto trial = promotable(rung, true)) return task(*trial);
  }
  return std::nullopt;
}

void AshaScheduler::ended(const TrialStart& task) {
  running_.erase(task.trial);
  idle_.reset();
  // One that did not come where it was sent is not sent again before a resume.
  const TrialState& state = sweep_.state(task.trial);
  const bool arrived =
      state.status == TrialStatus::kFinished || (task.stop_after && state.step == *task.stop_after);
  if (!arrived) given_up_.insert(task.trial);
}

bool AshaScheduler::is_done(size_t trial) const {
  const TrialState& state = sweep_.state(trial);
  if (state.status == TrialStatus::kFinished) return true;
  return state.status == TrialStatus::kPaused && !is_between_rungs(trial);
}

class Asha : public Searcher {
 public:
  Asha(const AshaOptions& options, const Context& context)
      : options_(options), sampler_(options.sampler.create(context)) {}

  std::optional<int64_t> startup() const override { return sampler_->startup(); }
  std::vector<SearchPoint> propose(const std::vector<Dimension>& dimensions,
                                   const std::vector<Observation>& known,
                                   uint64_t seed) const override {
    return sampler_->propose(dimensions, known, seed);
  }
  // By what it had reached at the last rung that it came to.
  std::optional<Observation> observe(const Sweep& sweep, const CellResult& cell) const override {
    if (!cell.departure.empty() || !cell.apart.empty()) return std::nullopt;
    const size_t trial = cell.trials[0];
    const TrialState& state = sweep.state(trial);
    Observation out;
    if (state.is_open) return out;
    if (state.is_failed()) {
      out.state = Observation::State::kFailed;
      return out;
    }
    const int64_t full = sweep.trials()[trial].epochs;
    if (state.status == TrialStatus::kFinished) out.epochs = full;
    for (const int64_t rung : rungs_of(options_, full)) {
      if (state.epoch >= rung) out.epochs = std::max(out.epochs, rung);
    }
    const bool larger = sweep.chosen_by().larger_is_better();
    const auto value = state.best(larger, out.epochs);
    if (out.epochs == 0 || !value) return out;
    out.state = Observation::State::kKnown;
    out.loss = larger ? -*value : *value;
    return out;
  }

  bool pauses() const override { return true; }
  void check(const Plan& plan, const SweepSpec& spec) const override;
  std::unique_ptr<Scheduler> scheduler(const Sweep& sweep, bool retry_failed,
                                       CellSource* more) const override {
    return std::make_unique<AshaScheduler>(sweep, options_, retry_failed, more);
  }

 private:
  AshaOptions options_;
  std::shared_ptr<Searcher> sampler_;
};

// Halving compares after so many epochs, so that all need to have as many.
void Asha::check(const Plan& plan, const SweepSpec& spec) const {
  if (plan.seeds.size() > 1) {
    refuse_plan(spec, spec.place_of({"seeds"}),
                "sweep.seeds: asha compares single runs and takes one seed",
                "--confirm runs the winners again on fresh seeds");
  }
  const auto epochs_of = [](const Cell& cell) {
    return cell.resolved->resolved.at_path("training.epochs")->scalar;
  };
  for (const Cell& cell : plan.cells) {
    if (cell.resolved->resolved.at_path("training.max_steps")->kind != Node::Kind::kNull) {
      refuse_plan(spec, place_of_key(spec, "training.max_steps"),
                  "training.max_steps: asha compares trials after whole epochs",
                  "training.epochs says how many");
    }
    if (epochs_of(cell) == epochs_of(plan.cells[0])) continue;
    refuse_plan(spec, place_of_key(spec, "training.epochs"),
                "training.epochs: asha compares trials after equal numbers of epochs",
                "the same number for all of them");
  }
  const auto epochs = parse_integer(epochs_of(plan.cells[0]));
  if (options_.min_epochs < *epochs) return;
  refuse_plan(spec, spec.place_of({"method.min_epochs", "method"}),
              fmt::format("sweep.method.min_epochs ({}) must be below training.epochs ({})",
                          options_.min_epochs, *epochs),
              "else asha would never compare");
}

}  // namespace

VITRINE_REGISTER(Searcher, Asha, AshaOptions,
                 "asynchronous successive halving: cells by a sampler, the worse stopped early")

}  // namespace vitrine

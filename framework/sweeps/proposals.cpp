#include "framework/sweeps/proposals.h"

#include <fmt/format.h>

#include <algorithm>

#include "framework/draws.h"
#include "framework/sweeps/ranking.h"

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;
using State = Observation::State;

// "failed", "running", a value, or a value with its epochs.
Json to_json(const Observation& one, bool larger_is_better) {
  if (one.state == State::kFailed) return "failed";
  if (one.state == State::kRunning) return "running";
  const double value = larger_is_better ? -one.loss : one.loss;
  return one.epochs == 0 ? Json(value) : Json{value, one.epochs};
}

void read(const Json& seen, bool larger_is_better, Observation& out) {
  out.state = seen == "failed"   ? State::kFailed
              : seen.is_string() ? State::kRunning
                                 : State::kKnown;
  if (out.state != State::kKnown) return;
  const double value = seen.is_array() ? seen.at(0).get<double>() : seen.get<double>();
  out.loss = larger_is_better ? -value : value;
  if (seen.is_array()) out.epochs = seen.at(1).get<int64_t>();
}

// The first trial of each cell.
std::vector<size_t> firsts(const Sweep& sweep) {
  std::vector<size_t> out;
  for (const CellResult& cell : all_cells(sweep, false)) out.push_back(cell.trials[0]);
  return out;
}

// By the cells' numbers, from 1, what was seen last of each until this one was proposed.
std::map<size_t, Json> last_seen(const Sweep& sweep, size_t cell) {
  std::map<size_t, Json> out;
  const auto trials = firsts(sweep);
  for (size_t i = 0; i <= std::min(cell, trials.size() - 1); ++i) {
    const Json& saw = sweep.trials()[trials[i]].saw;
    if (saw.is_null()) continue;
    for (const auto& [number, seen] : saw.items()) out[std::stoul(number)] = seen;
  }
  return out;
}

// What is known of each cell; none of one that somebody made another experiment.
std::vector<std::optional<Observation>> observe_all(const Sweep& sweep) {
  const auto searcher = sweep.options().searcher();
  std::vector<std::optional<Observation>> out;
  for (const CellResult& cell : all_cells(sweep, false)) {
    out.push_back(searcher->observe(sweep, cell));
    if (out.back()) out.back()->point = sweep.trials()[cell.trials[0]].point;
  }
  return out;
}

std::vector<Observation> known_of(const std::vector<std::optional<Observation>>& all) {
  std::vector<Observation> out;
  for (const auto& one : all) {
    if (one) out.push_back(*one);
  }
  return out;
}

}  // namespace

std::vector<Observation> observations(const Sweep& sweep) { return known_of(observe_all(sweep)); }

std::vector<Observation> seen_by(const Sweep& sweep, size_t cell) {
  std::vector<Observation> out;
  const bool larger = sweep.chosen_by().larger_is_better();
  const auto trials = firsts(sweep);
  for (const auto& [number, seen] : last_seen(sweep, cell)) {
    if (seen.is_null()) continue;  // no longer known of
    Observation& one = out.emplace_back();
    one.point = sweep.trials().at(trials.at(number - 1)).point;
    read(seen, larger, one);
  }
  return out;
}

Proposals::Proposals(Sweep& sweep, SweepSpec spec, Grown grown, Engine& engine, int64_t threads,
                     std::optional<size_t> most_open, Surroundings surroundings)
    : sweep_(sweep),
      spec_(std::move(spec)),
      grown_(std::move(grown)),
      engine_(engine),
      threads_(threads),
      most_open_(most_open),
      surroundings_(std::move(surroundings)) {}

size_t Proposals::open_cells() const {
  const auto all = observe_all(sweep_);
  return static_cast<size_t>(std::count_if(all.begin(), all.end(), [](const auto& one) {
    return one && one->state == State::kRunning;
  }));
}

std::vector<size_t> Proposals::next() {
  if (sweep_.to_come() == 0) return {};
  if (most_open_ && open_cells() >= *most_open_) return {};
  // What cannot be read just now will be known when the sweep is resumed.
  for (size_t i = 0; i < sweep_.trials().size(); ++i) {
    if (sweep_.state(i).is_open) return {};
  }
  std::vector<size_t> out;
  surroundings_([&] { out = propose(); });
  return out;
}

std::vector<size_t> Proposals::propose() {
  engine_.set_threads(threads_);
  if (!planner_) {
    planner_ = std::make_unique<Planner>(spec_, grown_, engine_);
    plan_.left_out = sweep_.left_out();
    planner_->adopt(plan_);
  }
  const auto searcher = spec_.options.searcher();
  const auto all = observe_all(sweep_);
  const bool larger = sweep_.chosen_by().larger_is_better();
  const auto before = last_seen(sweep_, all.size());
  Json saw = Json::object();
  for (size_t i = 0; i < all.size(); ++i) {
    const auto found = before.find(i + 1);
    const Json seen = all[i] ? to_json(*all[i], larger) : Json();
    const Json last = found == before.end() ? Json() : found->second;
    if (seen != last) saw[std::to_string(i + 1)] = seen;
  }
  // Where few combinations are left, it takes some until one of them is proposed.
  constexpr int64_t kMostAttempts = 100;
  constexpr uint64_t kSalt = 0x736561726368;
  const auto number = static_cast<int64_t>(all.size());
  const auto known = known_of(all);
  for (int64_t i = 0; i < kMostAttempts && !planner_->is_exhausted(); ++i) {
    Draws draws(static_cast<uint64_t>(spec_.options.search_seed), number, i, kSalt);
    const auto seed = static_cast<uint64_t>(draws.uniform() * 0x1p53);
    for (const SearchPoint& point : searcher->propose(planner_->dimensions(), known, seed)) {
      if (planner_->add_at(plan_, point))
        return sweep_.add_proposed(plan_.cells.back(), saw, plan_.left_out);
    }
  }
  sweep_.end_search(plan_.left_out);
  return {};
}

}  // namespace vitrine

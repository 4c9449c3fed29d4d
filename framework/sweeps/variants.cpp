#include "framework/sweeps/variants.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <tuple>

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;

// Keys whose values differ, with both; what only one of them has is null in the other.
using Changes = std::vector<std::tuple<std::string, Json, Json>>;

void collect(const Json& from, const Json& to, const std::string& path, Changes& out) {
  if (from == to) return;
  if (!from.is_object() || !to.is_object()) {
    out.emplace_back(path, from, to);
    return;
  }
  const auto below = [&](const std::string& key) { return path.empty() ? key : path + "." + key; };
  for (const auto& [key, value] : from.items())
    collect(value, to.value(key, Json()), below(key), out);
  for (const auto& [key, value] : to.items()) {
    if (!from.contains(key)) out.emplace_back(below(key), Json(), value);
  }
}

std::string shown(const Json& value) {
  return value.is_null() ? "none" : value.is_string() ? value.get<std::string>() : value.dump();
}

// "went 4 epochs"
std::string length_of(const TrialState& state, const std::string& epochs) {
  const char* verb = state.status == TrialStatus::kFinished ? "went" : "goes";
  return fmt::format("{} {} epochs", verb, epochs);
}

// "went 4 epochs, the cell's others 2" of a trial that differs from them.
std::string difference_of(const Json& others, const TrialState& state) {
  Changes changes;
  collect(others, state.config, "", changes);
  std::vector<std::string> parts;
  for (const auto& [key, theirs, its] : changes) {
    const bool is_length = key == "training.epochs";
    const std::string what = is_length ? length_of(state, shown(its))
                                       : fmt::format("has {} {}", key, shown(its));
    parts.push_back(fmt::format("{}, the cell's others {}", what, shown(theirs)));
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

// None where steps end it, of which epochs do not tell.
std::optional<int64_t> epochs_of(const Json& config) {
  const auto training = config.find("training");
  if (training == config.end() || !training->is_object()) return std::nullopt;
  const Json epochs = training->value("epochs", Json());
  if (!epochs.is_number_integer() || !training->value("max_steps", Json()).is_null())
    return std::nullopt;
  return epochs.get<int64_t>();
}

// A config that trials of the cell have.
struct Variant {
  const Json* config;
  bool is_planned;  // as far as its length tells
  size_t exact, count;

  auto rank() const { return std::tuple(is_planned, exact, count); }
};

Variant first_variant(const Sweep& sweep, const std::vector<size_t>& trials) {
  std::vector<Variant> out;
  for (const size_t trial : trials) {
    const TrialState& state = sweep.state(trial);
    if (state.config.is_null()) continue;
    const auto is_same = [&](const Variant& known) { return *known.config == state.config; };
    auto found = std::find_if(out.begin(), out.end(), is_same);
    if (found == out.end()) {
      const int64_t planned = sweep.trials()[trial].epochs;
      found = out.insert(found, {&state.config,
                                 epochs_of(state.config).value_or(planned) == planned, 0, 0});
    }
    ++found->count;
    found->exact += state.exact;
  }
  return *std::max_element(out.begin(), out.end(), [](const Variant& a, const Variant& b) {
    return a.rank() < b.rank();
  });
}

}  // namespace

Parting part_trials(const Sweep& sweep, const std::vector<size_t>& trials) {
  Parting out;
  const auto is_to_come = [&](size_t trial) { return sweep.state(trial).config.is_null(); };
  const auto to_come = std::count_if(trials.begin(), trials.end(), is_to_come);
  if (static_cast<size_t>(to_come) == trials.size()) return out;
  const Variant first = first_variant(sweep, trials);
  const bool counts = first.is_planned || to_come == 0;
  const std::string planned = fmt::format("planned were {}", sweep.trials()[trials[0]].epochs);
  if (counts && !first.is_planned)
    out.departure = fmt::format("{} epochs, {}", *epochs_of(*first.config), planned);
  for (const size_t trial : trials) {
    const TrialState& state = sweep.state(trial);
    if (is_to_come(trial) || (counts && state.config == *first.config)) continue;
    out.apart.emplace_back(
        trial, counts ? difference_of(*first.config, state)
                      : fmt::format("{}, {}",
                                    length_of(state, std::to_string(*epochs_of(state.config))),
                                    planned));
  }
  return out;
}

}  // namespace vitrine

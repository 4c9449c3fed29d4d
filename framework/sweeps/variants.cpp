#include "framework/sweeps/variants.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;

std::string shown(const Json& value) {
  return value.is_null() ? "none" : value.is_string() ? value.get<std::string>() : value.dump();
}

// What a trial has that was not planned. Of what may change exactly only the last value counts, of
// all else each step at which it changed.
std::vector<Change> departures_of(const TrialState& state) {
  std::vector<Change> out;
  for (const Change& change : state.changes) {
    const auto same = [&](const Change& known) { return known.exact && known.key == change.key; };
    const auto known = std::find_if(out.begin(), out.end(), same);
    if (change.exact && known != out.end()) {
      known->to = change.to;
    } else {
      out.push_back(change);
    }
  }
  std::erase_if(out, [](const Change& change) { return change.exact && change.from == change.to; });
  return out;
}

// Equal for trials that are of one experiment.
std::string variant_of(const TrialState& state) {
  Json out = Json::array();
  for (const Change& change : departures_of(state)) {
    out.push_back({change.key, change.to});
    if (!change.exact) out.back().push_back(change.step);
  }
  return out.empty() ? "" : out.dump();
}

// "went 4 epochs, the cell's others 2"
std::string words_of(const TrialState& state, const char* others) {
  std::vector<std::string> parts;
  const char* verb = state.status == TrialStatus::kFinished ? "went" : "goes";
  for (const Change& change : departures_of(state)) {
    const std::string from = shown(change.from), to = shown(change.to);
    parts.push_back(
        change.key == "training.epochs" ? fmt::format("{} {} epochs, {} {}", verb, to, others, from)
        : change.exact
            ? fmt::format("has {} {}, {} {}", change.key, to, others, from)
            : fmt::format("{} is {} from step {} on, was {}", change.key, to, change.step, from));
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

// "": as planned, which is what is to come as well.
std::string counted_variant(const Sweep& sweep, const std::vector<size_t>& trials) {
  std::map<std::string, size_t> counts;
  std::string out;
  for (const size_t trial : trials) {
    const std::string variant = variant_of(sweep.state(trial));
    if (variant.empty()) return "";
    if (++counts[variant] > counts[out]) out = variant;
  }
  return out;
}

}  // namespace

Parting part_trials(const Sweep& sweep, const std::vector<size_t>& trials) {
  Parting out;
  const std::string counted = counted_variant(sweep, trials);
  for (const size_t trial : trials) {
    const TrialState& state = sweep.state(trial);
    const std::string variant = variant_of(state);
    if (variant != counted) {
      out.apart.emplace_back(
          trial, words_of(state, counted.empty() ? "the cell's others" : "planned were"));
    } else if (!counted.empty()) {
      out.departure = words_of(state, "planned were");
    }
  }
  return out;
}

}  // namespace vitrine

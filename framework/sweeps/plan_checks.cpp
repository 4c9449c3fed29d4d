#include "framework/sweeps/plan_checks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace vitrine {
namespace {

// A metric that would be missed only when the first trial has ended.
void choose_metric(Plan& plan, const SweepSpec& spec) {
  const SweepOptions& options = spec.options;
  ChosenBy& chosen = plan.chosen_by;
  const auto refuse_metric = [&](const Cell& cell, const std::string& reason,
                                 const std::string& hint) {
    refuse_plan(spec, spec.place_of({"metric", "confirm", "method"}),
                fmt::format("sweep.metric: {} is not known of {}: {}", escape(chosen.name),
                            escape(cell.label), reason),
                hint);
  };
  if (plan.cells.empty()) return;
  chosen.name = options.metric.empty() ? plan.cells[0].resolved->best_by : options.metric;
  const auto searcher = options.searcher();
  const bool needs_best =
      searcher->pauses() || searcher->startup() || options.confirm || !options.metric.empty();
  for (const Cell& cell : plan.cells) {
    if (chosen.name.starts_with("validation/") && needs_best && !cell.work.validates)
      refuse_metric(cell, "there is no validation split", "dataset.validation=0.1 makes one");
    const auto& known = cell.resolved->metrics;
    const auto found = known.find(chosen.name);
    if (found == known.end()) {
      std::vector<std::string> names;
      for (const auto& [name, info] : known) {
        if (!name.starts_with("test/")) names.push_back(name);
      }
      const std::string near = nearest_names(chosen.name, names);
      refuse_metric(cell, fmt::format("it tells {}", fmt::join(names, ", ")),
                    near.empty() ? "" : "did you mean " + near + "?");
    }
    if (&cell == plan.cells.data()) chosen.info = found->second;
    if (found->second.goal != chosen.info.goal)
      refuse_metric(cell, "there its goal is another one", "");
  }
}

}  // namespace

void refuse_plan(const SweepSpec& spec, const Location& place, const std::string& message,
                 const std::string& hint) {
  Problems problems;
  problems.add(place, message, hint);
  throw ConfigError(problems, spec.configs[0].file, true);
}

Location place_of_key(const SweepSpec& spec, const std::string& path) {
  for (const Parameter& parameter : spec.options.parameters.list) {
    if (parameter.path == path) return parameter.location;
  }
  for (const GivenCell& cell : spec.options.cells.list) {
    for (const Setting& setting : cell.settings) {
      if (setting.path == path) return setting.value.key_location;
    }
  }
  for (const BaseConfig& config : spec.configs) {
    if (const Node* given = config.written.at_path(path)) return given->key_location;
  }
  return spec.place_of({"method"});
}

void check_plan(Plan& plan, const SweepSpec& spec) {
  choose_metric(plan, spec);
  spec.options.searcher()->check(plan, spec);
}

}  // namespace vitrine

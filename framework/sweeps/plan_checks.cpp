#include "framework/sweeps/plan_checks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "framework/config/scalar.h"

namespace vitrine {
namespace {

[[noreturn]] void refuse_sweep(const SweepSpec& spec, const Location& place,
                               const std::string& message, const std::string& hint = "") {
  Problems problems;
  problems.add(place, message, hint);
  throw ConfigError(problems, spec.configs[0].file, true);
}

// A metric that would be missed only when the first trial has ended.
void choose_metric(Plan& plan, const SweepSpec& spec) {
  const SweepOptions& options = spec.options;
  ChosenBy& chosen = plan.chosen_by;
  const auto refuse_metric = [&](const Cell& cell, const std::string& reason,
                                 const std::string& hint) {
    refuse_sweep(spec, spec.place_of({"metric", "confirm", "method"}),
                 fmt::format("sweep.metric: {} is not known of {}: {}", escape(chosen.name),
                             escape(cell.label), reason),
                 hint);
  };
  if (plan.cells.empty()) return;
  chosen.name = options.metric.empty() ? plan.cells[0].resolved->best_by : options.metric;
  const bool needs_best = options.method == "asha" || options.confirm || !options.metric.empty();
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

// Where a key of the trials' configs is given; else where the method is.
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

// Halving compares after so many epochs, so that all need to have as many.
void check_asha(const Plan& plan, const SweepSpec& spec) {
  const SweepOptions& options = spec.options;
  if (options.method != "asha") return;
  if (plan.seeds.size() > 1) {
    refuse_sweep(spec, spec.place_of({"seeds"}),
                 "sweep.seeds: asha compares single runs and takes one seed",
                 "--confirm runs the winners again on fresh seeds");
  }
  const auto epochs_of = [](const Cell& cell) {
    return cell.resolved->resolved.at_path("training.epochs")->scalar;
  };
  for (const Cell& cell : plan.cells) {
    if (cell.resolved->resolved.at_path("training.max_steps")->kind != Node::Kind::kNull) {
      refuse_sweep(spec, place_of_key(spec, "training.max_steps"),
                   "training.max_steps: asha compares trials after whole epochs",
                   "training.epochs says how many");
    }
    if (epochs_of(cell) == epochs_of(plan.cells[0])) continue;
    refuse_sweep(spec, place_of_key(spec, "training.epochs"),
                 "training.epochs: asha compares trials after equal numbers of epochs",
                 "the same number for all of them");
  }
  const auto epochs = parse_integer(epochs_of(plan.cells[0]));
  if (options.min_epochs < *epochs) return;
  refuse_sweep(spec, spec.place_of({"min_epochs", "method"}),
               fmt::format("sweep.min_epochs ({}) must be below training.epochs ({})",
                           options.min_epochs, *epochs),
               "else asha would never compare");
}

}  // namespace

void check_plan(Plan& plan, const SweepSpec& spec) {
  choose_metric(plan, spec);
  check_asha(plan, spec);
}

}  // namespace vitrine

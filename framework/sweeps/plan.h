#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "framework/engine/engine.h"
#include "framework/sweeps/dimension.h"
#include "framework/sweeps/spec.h"

namespace vitrine {

// One combination of values, which is run once a seed.
struct Cell {
  size_t config = 0;  // of SweepSpec::configs
  std::vector<Setting> settings;
  std::string label;  // what sets it apart from all others: "hidden_d=8 n_heads=2"
  std::shared_ptr<const ResolvedConfig> resolved;
  Workload work;
  SearchPoint point = {};  // where it lies, in a search that learns
};

// A combination that cannot be.
struct LeftOut {
  std::string label, reason;
};

// A line each, "  hidden_d=8: reason"; of many the first ones.
std::string to_text(const std::vector<LeftOut>& cells);
nlohmann::ordered_json to_json(const std::vector<LeftOut>& cells);  // [{"cell", "reason"}, ...]

// What the trials of a sweep share among them.
struct Machine {
  int64_t cores = 1;
  std::optional<int64_t> jobs;  // trials at a time, where it was given
};

// What a sweep has before it grows.
struct Grown {
  struct PastCell {
    size_t config = 0;
    std::vector<Setting> settings;
    std::string label;
    SearchPoint point = {};
  };

  std::vector<PastCell> cells;
  std::vector<LeftOut> left_out;
  uint64_t drawn = 0;                          // numbers, for these cells
  std::map<std::string, std::string> plugins;  // by their paths, and the copies that the sweep has
};

// What the trials are chosen by.
struct ChosenBy {
  std::string name;  // "validation/accuracy"
  MetricInfo info;

  bool larger_is_better() const { return info.goal == "max"; }
  // The metric's name of the test.
  std::string of_test() const { return "test" + name.substr(name.find('/')); }
  std::string text(double value) const { return metric_text(value, info); }
};

struct Plan {
  static constexpr size_t kMostTrials = 100'000;

  ChosenBy chosen_by;
  std::vector<Cell> cells;  // of a sweep that grows those that it has come first, in their order
  std::vector<LeftOut> left_out;
  std::vector<int64_t> seeds;      // empty: each config's own
  std::vector<std::string> notes;  // what may not be meant, a line each
  int64_t jobs = 1;
  uint64_t drawn = 0;   // numbers, of a search
  int64_t to_come = 0;  // cells that are proposed once something is known of these

  size_t all_cells() const { return cells.size() + static_cast<size_t>(to_come); }
  size_t trials() const { return all_cells() * std::max<size_t>(seeds.size(), 1); }
};

// Resolves and checks every cell. `grown`: the sweep that `spec` makes larger; a search goes on
// behind what it has drawn. Throws Error(kUsage), for all cells at once: values that are wrong
// whatever they are combined with; no cell that is possible, two that are one, one that is there
// and no longer asked for, a metric that the trials will not have.
Plan make_plan(const SweepSpec& spec, const Machine& machine, Engine& engine,
               const Grown& grown = {});

// The keys of a config that take a seed's number: those under `replicate`, else "seed".
std::vector<std::string> replicate_of(const Node& config);

// Whether the trials of this plan tell what they are chosen by, so that there is a best.
bool has_best(const Plan& plan);

}  // namespace vitrine

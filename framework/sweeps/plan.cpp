#include "framework/sweeps/plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "framework/sweeps/plan_checks.h"
#include "framework/sweeps/planner.h"

namespace vitrine {
namespace {

int64_t jobs_of(const Plan& plan, const Machine& machine, Engine& engine) {
  if (machine.jobs) return *machine.jobs;
  const ResolvedConfig& first = *plan.cells[0].resolved;
  if (first.device != "cpu" && first.device != "auto")
    return std::max<int64_t>(engine.devices(first.device), 1);
  int64_t threads = 1;
  for (const Cell& cell : plan.cells) threads = std::max(threads, cell.resolved->threads);
  const int64_t most = std::max<int64_t>(machine.cores / threads, 1);
  return std::min(most, static_cast<int64_t>(plan.trials()));
}

}  // namespace

std::vector<std::string> replicate_of(const Node& config) {
  std::vector<std::string> out;
  const Node* keys = config.find("replicate");
  if (keys && keys->kind == Node::Kind::kScalar) out.push_back(keys->scalar);
  if (keys && keys->kind == Node::Kind::kSequence) {
    if (keys->appends) out.emplace_back("seed");
    for (const Node& key : keys->children) out.push_back(key.scalar);
  }
  return out.empty() ? std::vector<std::string>{"seed"} : out;
}

std::string to_text(const std::vector<LeftOut>& cells) {
  constexpr size_t kMostShown = 30;
  std::string out;
  for (size_t i = 0; i < std::min(cells.size(), kMostShown); ++i)
    out += fmt::format("\n  {}: {}", escape(cells[i].label), escape(cells[i].reason));
  if (cells.size() > kMostShown) out += fmt::format("\n  and {} more", cells.size() - kMostShown);
  return out;
}

nlohmann::ordered_json to_json(const std::vector<LeftOut>& cells) {
  auto out = nlohmann::ordered_json::array();
  for (const LeftOut& cell : cells) out.push_back({{"cell", cell.label}, {"reason", cell.reason}});
  return out;
}

Plan make_plan(const SweepSpec& spec, const Machine& machine, Engine& engine, const Grown& grown) {
  Plan plan;
  plan.seeds = spec.options.seeds.list;
  Planner planner(spec, grown, engine);
  const auto expected =
      static_cast<int64_t>(std::min<size_t>(planner.expected_trials(), Plan::kMostTrials));
  const int64_t jobs = machine.jobs.value_or(std::min(machine.cores, expected));
  engine.set_threads(std::max<int64_t>(machine.cores / std::max<int64_t>(jobs, 1), 1));
  planner.run(plan);
  check_plan(plan, spec);
  plan.jobs = jobs_of(plan, machine, engine);
  return plan;
}

bool has_best(const Plan& plan) {
  return std::all_of(plan.cells.begin(), plan.cells.end(), [&](const Cell& cell) {
    return cell.work.validates || plan.chosen_by.name.starts_with("train/");
  });
}

}  // namespace vitrine

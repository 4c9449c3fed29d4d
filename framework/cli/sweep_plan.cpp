#include "framework/cli/sweep_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "framework/cli/terminal.h"
#include "framework/error.h"

namespace vitrine {

namespace {

using Json = nlohmann::ordered_json;

// Seconds of training of one trial of each cell, timed on a few steps; beyond the first cells,
// where that would take long, in proportion to operations.
std::vector<double> estimate(const Plan& plan) {
  constexpr size_t kMostTimed = 50;
  std::vector<double> out;
  double seconds = 0, operations = 0;
  for (const Cell& cell : plan.cells) {
    const double all = cell.work.operations();
    if (out.size() < kMostTimed) {
      engine().set_threads(cell.resolved->threads);
      out.push_back(engine().time_step(cell.resolved) * static_cast<double>(cell.work.steps));
      seconds += out.back();
      operations += all;
    } else {
      out.push_back(all * seconds / std::max(operations, 1.0));
    }
  }
  return out;
}

std::string short_time(double seconds) {
  return seconds < 10 ? fmt::format("{:.1f} s", seconds) : duration(seconds);
}

}  // namespace

std::string plural(size_t count, const std::string& word) {
  return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

std::string announcement(const SweepSpec& spec, const Plan& plan) {
  const size_t seeds = std::max<size_t>(plan.seeds.size(), 1);
  return fmt::format("{}: {}, {} x {}, {}{} at a time", escape(spec.name),
                     plural(plan.trials(), "trial"), plural(plan.all_cells(), "cell"),
                     plural(seeds, "seed"), spec.options.is_elsewhere() ? "at most " : "",
                     plan.jobs);
}

void show_plan(const SweepSpec& spec, const Plan& plan, bool json) {
  const std::vector<double> seconds = estimate(plan);
  Json cells = Json::array();
  std::vector<std::vector<std::string>> rows = {
      {"cell", "parameters", "FLOPs an image", "steps", "time a trial"}};
  double total = 0;
  for (size_t i = 0; i < plan.cells.size(); ++i) {
    const Cell& cell = plan.cells[i];
    total += seconds[i] * static_cast<double>(std::max<size_t>(plan.seeds.size(), 1));
    cells.push_back({{"cell", cell.label},
                     {"parameters", cell.work.parameters},
                     {"flops_per_image", cell.work.flops_per_image},
                     {"steps", cell.work.steps},
                     {"seconds", seconds[i]}});
    rows.push_back({escape(cell.label), grouped(cell.work.parameters),
                    grouped(cell.work.flops_per_image), grouped(cell.work.steps),
                    short_time(seconds[i])});
  }
  if (json) {
    Json out{{"cells", cells},
             {"left_out", to_json(plan.left_out)},
             {"to_come", plan.to_come},
             {"seeds", plan.seeds},
             {"jobs", plan.jobs}};
    if (const auto& confirm = spec.options.confirm)
      out["confirm"] = {{"top", confirm->top}, {"seeds", confirm->seeds}};
    print_json(out);
    return;
  }
  print(announcement(spec, plan));
  print(terminal_table(rows));
  if (plan.to_come > 0) {
    print(fmt::format("{} more, proposed once these have ended",
                      plural(static_cast<size_t>(plan.to_come), "cell")));
    total *= static_cast<double>(plan.all_cells()) / static_cast<double>(plan.cells.size());
  }
  print(fmt::format("training alone, timed on some steps of each cell here: {}{}",
                    spec.options.searcher()->pauses() ? "at most " : "about ",
                    short_time(total / static_cast<double>(plan.jobs))));
  if (const auto& confirm = spec.options.confirm) {
    const size_t top = std::min(static_cast<size_t>(confirm->top), plan.cells.size());
    const double longest = *std::max_element(seconds.begin(), seconds.end());
    const size_t trials = top * static_cast<size_t>(confirm->seeds);
    print(fmt::format(
        "then --confirm: {} x {}, {} more, at most {}", plural(top, "cell"),
        plural(static_cast<size_t>(confirm->seeds), "seed"), plural(trials, "trial"),
        short_time(longest * static_cast<double>(trials) / static_cast<double>(plan.jobs))));
  }
}

}  // namespace vitrine

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <set>

#include "framework/cli/launch_environment.h"
#include "framework/cli/sweep.h"
#include "framework/cli/sweep_plan.h"
#include "framework/cli/terminal.h"
#include "framework/cli/verbs.h"
#include "framework/sweeps/growth.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

// Seeds that confirmed what others had chosen, and choose themselves from now on.
void warn_of_used_seeds(const Sweep& sweep, const Plan& plan) {
  std::set<int64_t> used;
  for (const Trial& trial : sweep.trials()) {
    const bool chooses =
        std::find(plan.seeds.begin(), plan.seeds.end(), trial.seed) != plan.seeds.end();
    if (trial.confirms && chooses) used.insert(trial.seed);
  }
  if (used.empty()) return;
  print_warning(
      fmt::format("the best were confirmed on seed {}, which {} from now on: what they "
                  "confirmed was chosen without {}",
                  fmt::join(used, ", "), used.size() == 1 ? "chooses as well" : "choose as well",
                  used.size() == 1 ? "it" : "them"));
}

std::string text_of(const Sweep& sweep, const Growth& growth, const Plan& plan) {
  size_t finished = 0;
  for (size_t i = 0; i < sweep.trials().size(); ++i) {
    const bool counts = !sweep.trials()[i].confirms;
    finished += counts && sweep.state(i).status == TrialStatus::kFinished;
  }
  const std::string there = fmt::format("{} there already, {} finished", growth.there, finished);
  if (growth.added == 0 && plan.to_come > 0) {
    return fmt::format("{}: {} to come ({})", escape(sweep.options().name),
                       plural(static_cast<size_t>(plan.to_come), "cell"), there);
  }
  if (growth.added == 0)
    return fmt::format("{}: nothing to add ({})", escape(sweep.options().name), there);
  return fmt::format("{}: {} added ({}): {} x {}, {}{} at a time", escape(sweep.options().name),
                     plural(growth.added, "trial"), there, plural(plan.all_cells(), "cell"),
                     plural(std::max<size_t>(plan.seeds.size(), 1), "seed"),
                     sweep.options().is_elsewhere() ? "at most " : "", plan.jobs);
}

}  // namespace

void become_frozen_program(const fs::path& folder) {
  std::error_code error;
  if (fs::equivalent("/proc/self/exe", folder / "build" / "runner", error)) return;
  const Sweep sweep = Sweep::open(folder);
  sweep.grown();  // refuses those of older versions
  std::vector<std::string> words = command_line();
  words[0] = sweep.program().string();
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  execv(arguments[0], arguments.data());
  throw Error(ExitCode::kFailed, fmt::format("cannot start {}: {}", escape(words[0]),
                                             std::generic_category().message(errno)));
}

std::optional<Growth> grow_sweep(Sweep& sweep, const std::vector<std::string>& assignments,
                                 const SweepCommand& command, bool json) {
  const Grown grown = sweep.grown();
  SweepSpec spec = grown_spec(sweep, assignments);
  add_given_plugins(spec);
  if (command.jobs() > 0) spec.options.jobs = command.jobs();
  Console console(json);
  const Plan plan = [&] {
    const ScopedLaunchEnvironment here(sweep.launch_environment());
    Plan out = plan_of(spec, grown);
    warn_of_missing(spec, out);
    if (!load_data(out, console)) out.cells.clear();
    return out;
  }();
  if (plan.cells.empty()) {
    console.message("stopped before anything was added");
    return std::nullopt;
  }
  warn_of_used_seeds(sweep, plan);
  const Growth out = sweep.grow(spec, plan);
  if (!json) print(text_of(sweep, out, plan));
  return out;
}

}  // namespace vitrine

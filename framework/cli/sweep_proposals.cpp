#include "framework/cli/sweep_proposals.h"

#include "framework/cli/launch_environment.h"
#include "framework/sweeps/proposals.h"

namespace vitrine {

std::unique_ptr<CellSource> proposals_for(Sweep& sweep, const SweepSpec* spec, int64_t jobs,
                                          int64_t threads) {
  if (sweep.to_come() == 0) return nullptr;
  const auto within = [&sweep](const std::function<void()>& act) {
    const ScopedLaunchEnvironment there(sweep.launch_environment());
    act();
  };
  SweepSpec own;
  Grown grown = sweep.grown();
  if (spec) {
    own = *spec;
    grown.plugins.clear();
  } else {
    within([&] { own = read_spec({(sweep.path() / "sweep.yaml").string()}, {}, sweep.configs()); });
  }
  // Who hands trials on has room for as many as it is given.
  std::optional<size_t> most_open;
  const auto launcher = sweep.options().launcher.create({});
  if (launcher->is_elsewhere()) {
    const auto at_once = jobs > 0 ? std::optional(jobs) : sweep.options().jobs;
    most_open = at_once.value_or(*sweep.options().searcher()->startup());
    threads = launcher->cores(sweep.options());
  }
  return std::make_unique<Proposals>(sweep, std::move(own), std::move(grown), engine(), threads,
                                     most_open, within);
}

}  // namespace vitrine

#pragma once

#include <CLI/CLI.hpp>

#include "framework/sweeps/run_sweep.h"

namespace vitrine {

// How the trials of a sweep are run; what sweep and resume have in common.
class SweepCommand {
 public:
  explicit SweepCommand(CLI::App& app);

  int64_t jobs() const { return jobs_; }  // 0: not given
  // Throws Error(kUsage) for --top and --seeds alone.
  std::optional<Confirmation> confirmation() const;
  bool is_given() const;
  // Runs what is unfinished and shows what came out; `growth`: what was added before;
  // `looks_for_data`: before anything is submitted to another machine; `spec`: what a sweep is
  // of that this process made.
  ExitCode run(Sweep& sweep, bool retry_failed, bool json, const std::optional<Growth>& growth = {},
               bool looks_for_data = false, const SweepSpec* spec = nullptr) const;

 private:
  int64_t jobs_ = 0, top_ = 0, seeds_ = 0;
  bool confirm_ = false;
};

// Plans a sweep for its launcher, which may complete its options.
Plan plan_of(SweepSpec& spec, const Grown& grown = {});

// Goes on as the program that the sweep has frozen: cells that are added are read and completed by
// the code that ran the others. Returns where this is that program.
void become_frozen_program(const std::filesystem::path& sweep);

// Finds or downloads the data before any trial asks for it, so that it is missed, or fetched, once.
// False: a stop was requested meanwhile.
bool load_data(const Plan& plan, Observer& observer);

// Warns of cells that were left out, and of a search that found fewer than it was to.
void warn_of_missing(const SweepSpec& spec, const Plan& plan);

// Makes the sweep larger, as the assignments say (see grown_spec). None: a stop was requested
// meanwhile.
std::optional<Growth> grow_sweep(Sweep& sweep, const std::vector<std::string>& assignments,
                                 const SweepCommand& command, bool json);

}  // namespace vitrine

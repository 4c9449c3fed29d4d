#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/config/check.h"
#include "framework/config/fields.h"

namespace vitrine {

// A time as Slurm writes it: minutes, minutes:seconds, hours:minutes:seconds, days-hours,
// days-hours:minutes or days-hours:minutes:seconds. None: it is no such time, or UNLIMITED.
std::optional<int64_t> slurm_seconds(const std::string& time);

// What stands under `sweep.slurm:`, named as the options of sbatch.
struct SlurmOptions {
  // Trials are asked to stop so long before the limit of time; Slurm may do it a minute earlier.
  static constexpr int64_t kSecondsToSave = 120;
  static constexpr int64_t kLeastSeconds = kSecondsToSave + 180;  // of a limit of time

  std::optional<std::string> partition, time, mem, gpus, gres, account, qos, constraint;
  std::optional<int64_t> cpus_per_task;
  int64_t trials_per_task = 1;
  int64_t ranks = 1;  // processes of a trial, which srun starts
  std::vector<std::string> extra;

  // Whether a variable of the environment gives sbatch an option that the sweep itself decides.
  static bool is_own_variable(std::string_view name);

  void visit(Fields& field);
  void check(Check check) const;
  // The limit of a task's time in seconds, where `time` is given.
  std::optional<int64_t> seconds() const;
  // The options as sbatch takes them: "--partition=long"; `dependency`, if any, besides one that is
  // asked for.
  std::vector<std::string> arguments(const std::string& dependency) const;
};

}  // namespace vitrine

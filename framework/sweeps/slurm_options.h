#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "framework/config/check.h"
#include "framework/config/fields.h"

namespace vitrine {

// What stands under `sweep.slurm:`, named as the options of sbatch.
struct SlurmOptions {
  // Trials are asked to stop so long before the limit of time; Slurm may do it a minute earlier.
  static constexpr int64_t kSecondsToSave = 120;

  std::optional<std::string> partition, time, mem, gpus, gres, account, qos, constraint;
  std::optional<int64_t> cpus_per_task;
  int64_t trials_per_task = 1;
  std::vector<std::string> extra;

  void visit(Fields& field);
  void check(Check check) const;
  // As sbatch takes them: "--partition=long".
  std::vector<std::string> arguments() const;
};

}  // namespace vitrine

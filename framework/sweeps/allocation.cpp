#include "framework/sweeps/allocation.h"

#include <cstdlib>

#include "framework/config/scalar.h"

namespace vitrine {
namespace {

std::optional<int64_t> number(const char* variable) {
  const char* value = std::getenv(variable);
  const auto out = value ? parse_integer(value) : std::nullopt;
  return out && *out > 0 ? out : std::nullopt;
}

}  // namespace

std::optional<int64_t> allocated_cores() {
  if (!std::getenv("SLURM_JOB_ID")) return std::nullopt;
  const auto of_task = number("SLURM_CPUS_PER_TASK"), of_node = number("SLURM_CPUS_ON_NODE");
  // A step may have several tasks on the node; a job's script has all of the job's cores there.
  if (std::getenv("SLURM_STEP_ID") && of_task) return of_task;
  return of_node ? of_node : of_task;
}

}  // namespace vitrine

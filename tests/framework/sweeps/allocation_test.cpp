#include "framework/sweeps/allocation.h"

#include <cstdlib>
#include <map>
#include <string>

#include "tests/catch.h"

namespace vitrine {
namespace {

std::optional<int64_t> cores_with(const std::map<std::string, std::string>& variables) {
  for (const char* name :
       {"SLURM_JOB_ID", "SLURM_CPUS_ON_NODE", "SLURM_CPUS_PER_TASK", "SLURM_STEP_ID"})
    unsetenv(name);
  for (const auto& [name, value] : variables) setenv(name.c_str(), value.c_str(), 1);
  return allocated_cores();
}

TEST_CASE("a job's script has its cores of the node, a step's task its own") {
  CHECK(cores_with({}) == std::nullopt);
  CHECK(cores_with({{"SLURM_CPUS_PER_TASK", "3"}}) == std::nullopt);  // asked for, outside of a job
  CHECK(cores_with({{"SLURM_JOB_ID", "1"}}) == std::nullopt);
  CHECK(cores_with({{"SLURM_JOB_ID", "1"}, {"SLURM_CPUS_PER_TASK", "3"}}) == 3);
  CHECK(cores_with(
            {{"SLURM_JOB_ID", "1"}, {"SLURM_CPUS_ON_NODE", "8"}, {"SLURM_CPUS_PER_TASK", "2"}}) ==
        8);
  CHECK(cores_with({{"SLURM_JOB_ID", "1"},
                    {"SLURM_STEP_ID", "0"},
                    {"SLURM_CPUS_ON_NODE", "8"},
                    {"SLURM_CPUS_PER_TASK", "2"}}) == 2);
  CHECK(cores_with({{"SLURM_JOB_ID", "1"}, {"SLURM_CPUS_ON_NODE", "0"}}) == std::nullopt);
}

}  // namespace
}  // namespace vitrine

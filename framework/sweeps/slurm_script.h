#pragma once

#include <string>
#include <vector>

#include "framework/sweeps/launch_environment.h"

namespace vitrine {

// The script of an array job. `tasks`: of each the trials' folders, "0001-lr-1", or
// "0001-lr-1:120" for one that pauses after step 120. `number_file`: the file, beside the script,
// that gets the job's number as soon as a task runs.
std::string slurm_script(const std::vector<std::vector<std::string>>& tasks,
                         const std::string& number_file, const LaunchEnvironment& environment);

}  // namespace vitrine

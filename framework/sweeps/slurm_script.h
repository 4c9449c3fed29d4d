#pragma once

#include <string>
#include <vector>

namespace vitrine {

// The batch script of an array job, of which each task runs these folders of trials.
std::string slurm_script(const std::vector<std::vector<std::string>>& tasks);

}  // namespace vitrine

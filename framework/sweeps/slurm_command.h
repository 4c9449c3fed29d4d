#pragma once

#include "framework/sweeps/command.h"

namespace vitrine {

// Runs one of Slurm's commands, kept from what the user's environment would change about it:
// filters of squeue, what this program itself asks of sbatch, a job that this runs in. Throws
// Error(kFailed) where it is not there.
CommandResult slurm_command(std::vector<std::string> words);

// What a command that failed said.
std::string complaint(const CommandResult& result);

// A value of Slurm's own configuration, such as MaxArraySize, or of a partition ("" is the default
// one), such as DefaultTime. None where it cannot be asked, or does not say.
std::optional<std::string> slurm_setting(const std::string& name);
std::optional<std::string> partition_setting(const std::string& partition, const std::string& name);

}  // namespace vitrine

#include "framework/sweeps/slurm_fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "framework/sweeps/slurm_command.h"

// What is asked of Slurm, and what trials need.
namespace vitrine {
namespace {

int64_t most_threads(const Plan& plan) {
  int64_t out = 1;
  for (const Cell& cell : plan.cells) out = std::max(out, cell.resolved->threads);
  return out;
}

// The value of a key of `sweep.slurm`, or of the variable that sbatch takes in its place.
std::optional<std::string> asked(const std::optional<std::string>& value, const char* variable) {
  if (value) return value;
  const char* given = std::getenv(variable);
  return given && *given ? std::optional<std::string>(given) : std::nullopt;
}

// Whether anything among what is asked of sbatch is a GPU.
bool asks_for_gpu(const SlurmOptions& slurm) {
  const auto is_gpu = [](const std::string& argument) {
    return argument.starts_with("--gpus") || argument.starts_with("--gres=gpu");
  };
  const auto arguments = slurm.arguments("");
  return std::any_of(arguments.begin(), arguments.end(), is_gpu);
}

// A task's limit of time, and what the partition says of it.
void note_limits(const SlurmOptions& slurm, Plan& plan) {
  const std::string partition = asked(slurm.partition, "SBATCH_PARTITION").value_or("");
  if (partition.find(',') != partition.npos) return;  // Slurm chooses
  const std::string name = partition.empty() ? "the default partition" : "partition " + partition;
  const auto time = asked(slurm.time, "SBATCH_TIMELIMIT");
  const auto longest = partition_setting(partition, "MaxTime");
  const auto most = longest ? slurm_seconds(*longest) : std::nullopt;
  if (time) {
    const auto wanted = slurm_seconds(*time);
    if (wanted && most && *wanted > *most) {
      plan.notes.push_back(
          fmt::format("sweep.slurm.time ({}) is more than {} allows ({}): Slurm "
                      "may keep the tasks waiting for ever",
                      escape(*time), escape(name), *longest));
    }
    return;
  }
  const auto usual = partition_setting(partition, "DefaultTime");
  const auto seconds = usual ? slurm_seconds(*usual) : std::nullopt;
  if (!seconds || *seconds >= SlurmOptions::kLeastSeconds) return;
  plan.notes.push_back(
      fmt::format("{} gives a task {} where no time is asked for: trials stop and wait in the "
                  "queue again after "
                  "each; sweep.slurm.time asks for more",
                  escape(name), *usual));
}

}  // namespace

void fit_to_slurm(SweepOptions& options, Plan& plan) {
  if (!options.slurm) options.slurm.emplace();
  SlurmOptions& slurm = *options.slurm;
  const int64_t threads = most_threads(plan);
  if (slurm.cpus_per_task.value_or(threads) < threads) {
    throw Error(ExitCode::kUsage,
                fmt::format("sweep.slurm.cpus_per_task ({}) is less than the threads of a trial "
                            "({})",
                            *slurm.cpus_per_task, threads));
  }
  slurm.cpus_per_task = slurm.cpus_per_task.value_or(threads);
  const auto on_cpu = [](const Cell& cell) {
    return cell.resolved->resolved.at_path("device")->scalar == "cpu";
  };
  if (asks_for_gpu(slurm) && std::all_of(plan.cells.begin(), plan.cells.end(), on_cpu)) {
    throw Error(ExitCode::kUsage,
                "sweep.slurm asks for GPUs, but the trials compute on the cpu (device: cpu): leave "
                "one of them out");
  }
  note_limits(slurm, plan);
  plan.jobs = options.jobs.value_or(static_cast<int64_t>(plan.trials()));
}

}  // namespace vitrine

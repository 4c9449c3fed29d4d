#include "framework/sweeps/slurm_script.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace vitrine {
namespace {

constexpr const char* kHead = R"script(#!/usr/bin/env bash
# Task N of this array job runs the trials of tasks[N] one after the other. The sweep's folder is the
# argument that it was submitted with.
tasks=(
)script";

// Exit codes of the program: 75 and 143 after it has saved. A signal that came before it could
// handle it shows as 138 (SIGUSR1) or 143 (SIGTERM). The words for other ends are those that
// read_trial looks for.
constexpr const char* kRest = R"script()

sweep=$1
log=$sweep/slurm/${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID.txt  # where standard output goes
export VITRINE_BATCH=1 NO_COLOR=1 OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}

child='' asked='' woken=''
ask() {
  asked=$1 woken=1
  if [[ $child ]]; then kill -s "$asked" "$child" 2>/dev/null; fi
}
trap 'ask USR1' USR1
trap 'ask TERM' TERM

# Runs the trial $1 and sets code.
run() {
  local folder=$sweep/trials/$1
  "$sweep/build/runner" resume "$folder" >>"$folder/output.txt" 2>&1 </dev/null &
  child=$!
  if [[ $asked ]]; then ask "$asked"; fi
  woken=1
  while [[ $woken ]]; do  # a signal ends wait, not the trial
    woken=''
    wait "$child"
    code=$?
  done
  child=''
  case $code in
    0 | 75 | 130 | 138 | 143) ;;
    129 | 13? | 14? | 15? | 16?) echo "killed by signal $((code - 128))" >>"$folder/output.txt" ;;
    *) echo "exit code $code" >>"$folder/output.txt" ;;
  esac
}

# Slurm itself takes back what it preempts, and what was cancelled must not come back.
go_back() {
  if [[ $(squeue --noheader --format=%T --jobs="$SLURM_JOB_ID") == RUNNING ]]; then
    scontrol requeue "$SLURM_JOB_ID"
  fi
  exit "$1"
}

worst=0
for trial in ${tasks[SLURM_ARRAY_TASK_ID]}; do
  if grep -Fqsx "ended: $trial" "$log"; then continue; fi  # before the task came back
  if [[ $asked ]]; then go_back 75; fi
  run "$trial"
  case $code in
    75 | 138 | 143)
      echo "stopped: $trial"
      go_back "$code"
      ;;
  esac
  echo "ended: $trial"
  if ((code > worst)); then worst=$code; fi
done
exit "$worst"
)script";

}  // namespace

std::string slurm_script(const std::vector<std::vector<std::string>>& tasks) {
  std::string out = kHead;
  for (const auto& trials : tasks) out += fmt::format("  '{}'\n", fmt::join(trials, " "));
  return out + kRest;
}

}  // namespace vitrine

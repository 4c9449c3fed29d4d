#include "framework/sweeps/slurm_script.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "framework/error.h"

namespace vitrine {
namespace {

constexpr const char* kHead = R"script(#!/usr/bin/env bash
# Task N of this array job runs the trials of tasks[N] one after the other. The sweep's folder is the
# argument that it was submitted with. A number behind a trial is the step after which it pauses.
tasks=(
)script";

// The shell that becomes a trial has the environment of the sweep, and this script Slurm's.
constexpr const char* kLaunchEnvironment = R"script()

# What the trials find around them: as where the sweep was begun.
surround() {
)script";

// Exit codes of the program: 75 and 143 after it has saved. A signal that came before it could
// handle it shows as 138 (SIGUSR1) or 143 (SIGTERM). The words for other ends are those that
// read_trial looks for, those of the log what end_in_log and queued_trials look for.
constexpr const char* kRest = R"script(
sweep=$1
task=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
log=$sweep/slurm/$task.txt  # where standard output goes
unset ${!SQUEUE_*} ${!SCONTROL_*} SLURM_CLUSTERS

# Prints what squeue says of this job.
ask_slurm() { squeue --all --noheader --format="$1" --jobs="$SLURM_JOB_ID" 2>&1; }

# Slurm's "1-02:03:04" in seconds; nothing for UNLIMITED.
seconds_of() {
  local days=0 total=0 part parts
  if [[ ! $1 =~ ^([0-9]+-)?[0-9]+(:[0-9]+)*$ ]]; then return; fi
  if [[ $1 == *-* ]]; then days=$((10#${1%%-*})); fi
  IFS=: read -ra parts <<<"${1#*-}"
  for part in "${parts[@]}"; do total=$((total * 60 + 10#$part)); done
  echo $((days * 86400 + total))
}

child='' asked='' woken=''
ask() {
  asked=$1 woken=1
  if [[ $child ]]; then kill -s "$asked" "$child" 2>/dev/null; fi
}
# SIGUSR1 comes two to three minutes before the end, or from somebody. Where the task has hardly more
# than that, the task's own clock decides, which sends SIGUSR2.
early() {
  local now
  if [[ $margin ]]; then
    now=$(seconds_of "$(ask_slurm %L)")
    if [[ $now ]] && ((now > margin + 10 && now <= 190)); then return; fi
  fi
  ask USR1
}
margin='' helpers=()
trap early USR1
trap 'ask USR1' USR2
trap 'ask TERM' TERM
trap 'kill "${helpers[@]}" 2>/dev/null' EXIT

echo "$SLURM_ARRAY_JOB_ID" >"$sweep/slurm/$number_file"
left=$(ask_slurm %L)
echo "task $task on $HOSTNAME, time left: $left"
left=$(seconds_of "$left")
if [[ $left ]] && ((left < 240)); then
  margin=$((left / 4 > 10 ? left / 4 : 10))
  echo "short: a task has $left s, of which its trials train until $margin s before the end; sweep.slurm.time asks for more"
  (trap - USR1 USR2 TERM EXIT; sleep $((left > margin ? left - margin : 0)) && kill -USR2 $$) >/dev/null &
  helpers+=($!)
fi
# Of a job that is to be cancelled, after a time of grace, Slurm tells the steps alone: each process of them, so that the sleep
# may be gone before its shell hears of it.
if [[ $(scontrol --all --oneliner show partition "$SLURM_JOB_PARTITION" 2>/dev/null) =~ GraceTime=([1-9][0-9]*) ]]; then
  srun --overlap --mem=0 --ntasks=1 --cpus-per-task=1 --gres=none --mpi=none \
    bash -c "trap : TERM; sleep infinity & wait; kill -TERM $$" </dev/null >/dev/null 2>&1 &
  helpers+=($!)
fi

# The newest checkpoint of the trial $1.
saved() {
  local files=("$sweep/trials/$1/checkpoints"/step-*)
  echo "${files[-1]##*/}"
}
lacks_room() {
  local probe=$sweep/slurm/.room-$task out=0
  if printf '%65536s' '' 2>/dev/null >"$probe"; then
    tail -n 20 "$sweep/trials/$1/output.txt" | grep -Eq 'No space left on device|Disk quota exceeded' || out=1
  fi
  rm -f "$probe"
  return $out
}

# Runs the trial $1, up to the step $2 if there is one, and sets code.
run() {
  local folder=$sweep/trials/$1
  (
    surround
    export VITRINE_BATCH=1 NO_COLOR=1 OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}
    exec "${launch[@]}" "$sweep/build/runner" resume "$folder" ${2:+--stop-after "$2"}
  ) >>"$folder/output.txt" 2>&1 </dev/null &
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

# Slurm itself takes back what it preempts, and what was cancelled must not come back. Where Slurm
# gives no answer, it may be starting anew: it is asked again for some minutes.
go_back() {
  local pause=0.5 end=$((SECONDS + 600)) answer
  while true; do
    if answer=$(ask_slurm %T); then
      if [[ $answer != RUNNING ]]; then break; fi
      if answer=$(scontrol requeue "$SLURM_JOB_ID" 2>&1); then break; fi
    elif [[ $answer == *'Invalid job id'* ]]; then
      break
    fi
    if ((SECONDS > end)); then
      echo "error: its task could not go back to the queue: $answer"
      break
    fi
    sleep $pause
    case $pause in 0.5) pause=1 ;; 1) pause=3 ;; *) pause=15 ;; esac
  done
  exit "$1"
}

# Processes of one trial are started by srun; what is lost of them ends the others.
launch=()
if ((${SLURM_NTASKS:-1} > 1)); then
  launch=(srun --overlap --ntasks="$SLURM_NTASKS" --cpus-per-task="${SLURM_CPUS_PER_TASK:-1}" --kill-on-bad-exit=0
    --mpi="${SLURM_MPI_TYPE:-pmix}" --input=none)
fi
worst=0
for entry in ${tasks[SLURM_ARRAY_TASK_ID]}; do
  trial=${entry%%:*} step=''
  if [[ $entry == *:* ]]; then step=${entry#*:}; fi
  if grep -Fqsx "ended: $trial" "$log"; then continue; fi  # before the task came back
  if [[ $asked ]]; then go_back 75; fi
  before=$(saved "$trial")
  if [[ $step && $before =~ ([0-9]+) ]] && ((10#${BASH_REMATCH[1]} >= step)); then
    echo "ended: $trial"  # it came there as the task was asked to stop
    continue
  fi
  run "$trial" "$step"
  if [[ $code == 75 && ! $asked ]]; then code=0; fi  # it came to its step
  case $code in
    75 | 138 | 143)
      echo "stopped: $trial"
      if [[ $(saved "$trial") == "$before" ]]; then
        if grep -Fqsx "no further: $trial" "$log"; then
          echo "error: its task's time ended twice before the trial came further; sweep.slurm.time asks for more"
          exit "$code"
        fi
        echo "no further: $trial"
      fi
      go_back "$code"
      ;;
    1) if lacks_room "$trial"; then
        echo "error: there is no room on the disk; the task's further trials were not started"
        exit 75
      fi ;;
  esac
  echo "ended: $trial"
  if ((code > worst)); then worst=$code; fi
done
exit "$worst"
)script";

}  // namespace

std::string slurm_script(const std::vector<std::vector<std::string>>& tasks,
                         const std::string& number_file, const LaunchEnvironment& environment) {
  std::string out = kHead;
  for (const auto& trials : tasks) out += fmt::format("  '{}'\n", fmt::join(trials, " "));
  out += kLaunchEnvironment;
  out += environment.script();
  out += fmt::format(
      "cd {0} || {{ echo \"error: the folder in which the sweep was begun cannot be entered on "
      "this "
      "node: \"{0}; exit 1; }}\n}}\n\nnumber_file={1}\n",
      shell_word(environment.directory), number_file);
  return out + kRest;
}

}  // namespace vitrine

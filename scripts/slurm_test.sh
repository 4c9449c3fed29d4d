#!/usr/bin/env bash
# Brings up a Slurm of its own on this machine, runs a sweep through it with stops, a preemption and a
# cancelled task in between, and checks that each trial has the same results, bit for bit, as under the
# local launcher. Needs root, Slurm and munge, and is skipped (exit code 77) where they are missing.
#   scripts/slurm_test.sh
#   scripts/slurm_test.sh --install     installs what is missing from apt first
set -euo pipefail

root=$(readlink -f "${BASH_SOURCE[0]}")
root=${root%/scripts/*}
source "$root/scripts/lib.sh"

skip() {
  echo "SKIPPED: the test with a real Slurm: $1"
  exit 77
}
fail() {
  printf 'slurm_test: %s\n' "$@" >&2
  exit 1
}

missing=()
for tool in munged slurmctld slurmd sbatch squeue scontrol scancel sinfo; do
  if ! command -v "$tool" >/dev/null; then missing+=("$tool"); fi
done
if ((EUID != 0)); then skip "it needs root"; fi
if [[ ${CI:-} && ${1:-} != --install ]]; then skip "in continuous integration it runs with --install alone"; fi
if [[ ${missing[*]} && ${1:-} == --install ]]; then
  apt-get update && apt-get install --yes --no-install-recommends slurm-wlm munge
elif [[ ${missing[*]} ]]; then
  skip "no ${missing[*]} (Debian: slurm-wlm, munge; or scripts/slurm_test.sh --install)"
fi
build runner

work=$(mktemp -d)
chmod 755 "$work"  # munge looks at it
export SLURM_CONF=$work/slurm.conf NO_COLOR=1

daemons=()
start() {  # COMMAND...; in the foreground of a child, so that it is this very process that is stopped
  "$@" </dev/null >/dev/null 2>&1 &
  daemons=($! "${daemons[@]}")
}
stop_all() {
  local status=$?
  trap - EXIT
  set +e
  if ((status != 0)); then tail -n 20 "$work"/*.log "$work"/sweeps/slurm/slurm/*.txt >&2; fi
  if ((${#daemons[@]} == 3)) && ! is_gone "${daemons[1]}"; then  # jobs outlive slurmd
    scancel --user=root
    wait_until 60 is_idle
  fi
  for id in "${daemons[@]}"; do
    kill "$id" 2>/dev/null
    wait_until 20 is_gone "$id" || kill -KILL "$id"
  done
  rm -rf "$work"
  exit "$status"
}
is_gone() { ! kill -0 "$1" 2>/dev/null; }

wait_until() {  # SECONDS COMMAND...
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    if ((SECONDS > end)); then return 1; fi
    sleep 0.2
  done
}
expect() {  # WHAT SECONDS COMMAND...
  if ! wait_until "$2" "${@:3}"; then fail "$1: not within $2 s"; fi
  echo "ok: $1"
}

is_idle() { [[ ! $(squeue --noheader 2>/dev/null) ]]; }
is_up() { [[ $(sinfo --noheader --format=%t 2>/dev/null) == idle ]]; }
is_under_way() { compgen -G "$sweep/trials/$1-*/checkpoints/step-*" >/dev/null; }
is_waiting() { [[ $(squeue --noheader --jobs="$1" --format=%T) == PENDING ]]; }
is_in_log() { grep -qs "^$2" "$sweep/slurm/$1.txt"; }
is_gone_from_queue() { [[ ! $(squeue --noheader --jobs="$1" 2>/dev/null) ]]; }

start_slurm() {
  local ports
  read -ra ports < <(python3 -c '
import socket
free = [socket.create_server(("", 0)) for _ in range(2)]
print(*(one.getsockname()[1] for one in free))')
  mkdir "$work"/{state,spool,munge}
  cat >"$SLURM_CONF" <<END
ClusterName=vitrine
SlurmctldHost=localhost
SlurmctldPort=${ports[0]}
SlurmdPort=${ports[1]}
AuthType=auth/munge
AuthInfo=socket=$work/munge/socket
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
JobAcctGatherType=jobacct_gather/none
ReturnToService=2
MpiDefault=none
NodeName=localhost CPUs=2 State=UNKNOWN
PartitionName=main Nodes=localhost Default=YES MaxTime=INFINITE State=UP
END
  (umask 077 && head -c 1024 /dev/urandom >"$work/munge/key")
  start munged --foreground --key-file="$work/munge/key" --socket="$work/munge/socket" \
    --pid-file="$work/munged.pid" --log-file="$work/munged.log" --seed-file="$work/munge/seed"
  wait_until 20 test -S "$work/munge/socket" || fail "munged does not start"
  start slurmctld -D -c
  start slurmd -D -N localhost
}

# What each trial of the sweep $1 computed, without times and places.
results() {
  local run
  for run in "$1"/trials/*; do
    (cd "$run" && sha256sum model.safetensors test.json)
    python3 - "$run" <<'END'
import hashlib, json, pathlib, sys
run = pathlib.Path(sys.argv[1])
leave_out = {"seconds", "images_per_second", "started", "finished", "run", "peak_memory_bytes", "command", "changes"}
def strip(value):
    if isinstance(value, dict):
        return {key: strip(item) for key, item in value.items() if key not in leave_out}
    return [strip(item) for item in value] if isinstance(value, list) else value
for name in "metrics.json", "metrics.jsonl":
    text = (run / name).read_text()
    rows = text.splitlines() if name.endswith("l") else [text]
    kept = json.dumps([strip(json.loads(row)) for row in rows], sort_keys=True)
    print(hashlib.sha256(kept.encode()).hexdigest(), "", name, "of", run.name)
END
  done
}

trap stop_all EXIT
start_slurm
expect "Slurm is up" 60 is_up

mkdir "$work/sweeps"
cd "$work/sweeps"
sweep=slurm
trials=("$root/configs/vit_digits.yaml" optimizer.lr=0.003,0.01 seed=0..1 training.epochs=12)
"$build_dir/runner" sweep "${trials[@]}" --launcher slurm --jobs 2 sweep.slurm.trials_per_task=2 \
  sweep.slurm.time=30 sweep.slurm.partition=main --run-dir $sweep

expect "both tasks train" 120 eval 'is_under_way 0001 && is_under_way 0003'
scancel --signal=USR1 --batch 1_0
scontrol requeue 1_1
expect "a trial that gets SIGUSR1 saves and its task goes back to the queue" 60 \
  eval 'is_in_log 1_0 "stopped: 0001-" && is_waiting 1_0'
expect "so does one that is preempted" 60 eval 'is_in_log 1_1 "stopped: 0003-" && is_waiting 1_1'
# Slurm lets a requeued job wait for two minutes; within a second its node would refuse it.
for task in 1_0 1_1; do scontrol update JobId=$task StartTime=now+3seconds; done

expect "a task comes to its second trial" 120 is_under_way 0004
scancel 1_1
expect "a task that is cancelled does not come back" 60 is_gone_from_queue 1_1
"$build_dir/runner" resume $sweep | tee resumed.txt
grep -qx 'submitted 1 trial as job [0-9]* (1 task)' resumed.txt || fail "resume did not submit the one trial that is left"

expect "all tasks end" 300 is_idle
"$build_dir/runner" resume $sweep || fail "the sweep is not finished"

"$build_dir/runner" sweep "${trials[@]}" --jobs 2 --run-dir local >local.txt
results $sweep >slurm.results
results local >local.results
diff local.results slurm.results || fail "the results differ from the local launcher's"
echo "ok: $(wc -l <slurm.results) results of 4 trials are the local launcher's, bit for bit"

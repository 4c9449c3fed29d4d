#!/usr/bin/env bash
# Brings up a Slurm of its own on this machine and runs sweeps through it: with faults of Slurm, of its
# set-up and of the user's environment, each of which must end in the right words and lose nothing; then one
# with stops, a preemption and a cancelled task in between, whose trials must have the same results, bit for
# bit, as under the local launcher. Needs root, Slurm and munge, and is skipped (exit code 77) where they are
# missing. In continuous integration what takes longer than two minutes is left out.
#   scripts/slurm_test.sh
#   scripts/slurm_test.sh --install     installs what is missing from apt first
#   scripts/slurm_test.sh NAME...       these parts alone: queue answers places devices memory jobs grace rounds
#                                       allocation controller short ranks bits
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
if [[ ${1:-} == --install ]]; then shift; fi
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
  if ((status != 0)); then tail -n 20 "$work"/*.log "$work"/sweeps/*/slurm/*.txt >&2; fi
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

is_idle() { [[ ! $(squeue --all --noheader 2>/dev/null) ]]; }
is_up() { [[ $(sinfo --noheader --format=%t 2>/dev/null) == idle ]]; }
is_under_way() { compgen -G "$sweep/trials/$1-*/checkpoints/step-*" >/dev/null; }
is_waiting() { [[ $(squeue --noheader --jobs="$1" --format=%T) == PENDING ]]; }
is_in_log() { grep -qs "^$2" "$sweep/slurm/$1.txt"; }
all_jobs() { squeue --all --noheader --array "$@"; }
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
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=2,sched_min_interval=100000,bf_interval=2
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
ReturnToService=2
MpiDefault=none
MaxArraySize=4
NodeName=localhost CPUs=2 RealMemory=8000 State=UNKNOWN
PartitionName=DEFAULT Nodes=localhost State=UP DefMemPerCPU=1500 PriorityTier=10 MaxTime=60
PartitionName=main Default=YES
PartitionName=hidden Hidden=YES
PartitionName=short DefaultTime=2
PartitionName=grace PriorityTier=1 PreemptMode=CANCEL GraceTime=60
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
runner=$build_dir/runner
cat >small.yaml <<'END'
dataset: {type: digits, train: 600, test: 300, validation: 100}
model: {type: vit, hidden_d: 8, n_heads: 2, n_blocks: 1, n_patches: 7}
optimizer: {type: adam, lr: 0.005}
training: {epochs: 2, batch_size: 64}
END
later='sweep.slurm.extra=[--begin=now+600]'

submit() { "$runner" sweep "$@" --launcher slurm; }
# WHAT TEXT COMMAND...: the command prints a line with this text.
says() {
  local output
  output=$("${@:3}" 2>&1) || true
  if [[ $output != *"$2"* ]]; then fail "$1: expected \"$2\", got:" "$output"; fi
  echo "ok: $1"
}
cancel_all() {
  scancel --user=root
  wait_until 60 is_idle || fail "jobs do not go away"
}

part_queue() {
  submit small.yaml seed=0 sweep.slurm.partition=hidden "$later" --run-dir queue >/dev/null
  local job
  job=$(all_jobs --format=%F)
  scontrol update JobId="$job" JobName=other
  says "a job is known in a hidden partition, renamed, and with filters in the environment" \
    "1 trial: 1 queued" env SQUEUE_STATES=R SQUEUE_PARTITION=main "$runner" status queue
  "$runner" resume queue >/dev/null
  [[ $(all_jobs | wc -l) == 1 ]] || fail "resume submitted a job again"
  cancel_all
  says "what was cancelled while it waited is told, and submitted again" "submitted 1 trial" "$runner" resume queue
  cancel_all
  submit small.yaml seed=0 sweep.slurm.time=10:00:00 --run-dir long >/dev/null 2>&1
  expect "a job that can never run says why" 20 eval '"$runner" status long | grep -q "queued (PartitionTimeLimit)"'
  cancel_all
}

part_answers() {
  mkdir -p bin
  printf '#!/bin/bash\nif [[ $1 == --version ]]; then exit; fi\n%s "$@" >/dev/null\necho "Socket timed out on send/recv operation" >&2\nexit 1\n' \
    "$(command -v sbatch)" >bin/sbatch
  chmod +x bin/sbatch
  PATH=$PWD/bin:$PATH says "an answer that was lost is no refusal" "submitted 1 trial as job" \
    submit small.yaml seed=0 "$later" --run-dir lost
  "$runner" resume lost >/dev/null
  [[ $(all_jobs | wc -l) == 1 ]] || fail "a job whose answer was lost was submitted again"
  cancel_all
  submit small.yaml seed=0..1 "$later" --run-dir twice >/dev/null
  cancel_all
  "$runner" resume twice >/dev/null 2>&1 &
  "$runner" resume twice >/dev/null 2>&1 || true
  wait $! || true  # either of the two may be the one that is refused
  [[ $(all_jobs --format=%F | sort -u | wc -l) == 1 ]] || fail "two resumes at once both submitted"
  echo "ok: of two resumes at once one submits"
  cancel_all
}

part_places() {
  mkdir -p begun elsewhere
  python3 - <<'END'
import json, struct
tensors, data = {}, b""
for name, shape in {"train/images": [40, 8, 8], "train/labels": [40], "test/images": [20, 8, 8], "test/labels": [20]}.items():
    size = 1
    for n in shape: size *= n
    tensors[name] = {"dtype": "U8", "shape": shape, "data_offsets": [len(data), len(data) + size]}
    data += bytes(i % (4 if "labels" in name else 251) for i in range(size))
header = json.dumps(tensors).encode()
open("begun/data.safetensors", "wb").write(struct.pack("<Q", len(header)) + header + data)
END
  sed 's/^dataset:.*/dataset: {type: arrays, path: data.safetensors, validation: 8}/; s/n_patches: 7/n_patches: 4/' small.yaml >begun/arrays.yaml
  (cd begun && SBATCH_EXPORT=NONE submit arrays.yaml seed=0 "$later" --run-dir ../places >/dev/null)
  cancel_all
  sed -i 's/now+600/now/' places/sweep.yaml
  (cd elsewhere && SBATCH_EXPORT=NONE "$runner" resume ../places >/dev/null)
  expect "a job is done" 60 is_idle
  says "trials find relative data from wherever their sweep is resumed" " finished " "$runner" status places
}

part_devices() {
  submit small.yaml seed=0 device=cuda --run-dir cuda >/dev/null
  expect "a job is done" 60 is_idle
  if [[ -e /dev/nvidia0 ]]; then return; fi
  says "a GPU that is not there is missed where the trial runs" "there is no cuda device here" "$runner" status cuda
}

part_memory() {
  submit small.yaml seed=0 training.epochs=60000 sweep.slurm.mem=40M --run-dir memory >/dev/null
  expect "a job is done" 60 is_idle
  says "a trial that was killed for memory says so" "its task ran out of memory" "$runner" status memory
  "$runner" resume memory sweep.slurm.mem=1G >/dev/null
  [[ $(all_jobs --Format=MinMemory | tr -d ' ') == 1G ]] || fail "resume did not change the memory"
  echo "ok: resume asks for more memory"
  cancel_all
}

part_jobs() {
  says "an array that is too large is split" "submitted as 3 jobs" \
    submit small.yaml seed=0..9 training.epochs=1 --jobs 1 --run-dir jobs
  local most=0 now
  until is_idle; do
    now=$(all_jobs --states=R | wc -l)
    if ((now > most)); then most=$now; fi
    sleep 0.2
  done
  ((most == 1)) || fail "$most tasks of a sweep ran at a time, where 1 was to"
  says "--jobs holds for all of its jobs together" "10 finished" "$runner" status jobs
}

part_grace() {
  submit small.yaml seed=0 training.epochs=60000 sweep.slurm.partition=grace sweep.slurm.cpus_per_task=2 --run-dir grace >/dev/null
  sweep=grace
  expect "a task trains" 60 is_under_way 0001
  sbatch --partition=main --cpus-per-task=2 --output=/dev/null --wrap 'sleep 2' >/dev/null
  expect "a trial that is to be cancelled saves within the grace, and goes back" 30 \
    eval 'grep -qs "^stopped: " grace/slurm/*.txt && "$runner" status grace | grep -q "queued (BeginTime)"'
  cancel_all
}

part_rounds() {
  submit small.yaml sweep.method=asha sweep.trials=4 sweep.method.eta=2 training.epochs=4 'optimizer.lr=0.0001..0.1' \
    sweep.slurm.trials_per_task=4 --run-dir rounds >/dev/null
  for ((i = 0; i < 3; ++i)); do
    expect "a round ends" 60 is_idle
    "$runner" resume rounds >rounds.txt
  done
  says "asha goes on with the best of each round" "1 finished, 3 paused" cat rounds.txt
}

part_allocation() {
  printf '#!/bin/bash\n%q sweep small.yaml seed=0..1 training.epochs=1 --run-dir allocation\n' "$runner" >allocation.sh
  sbatch --cpus-per-task=1 --output=allocation.txt allocation.sh >/dev/null
  expect "a job is done" 60 is_idle
  says "a local sweep takes the cores of its job" "2 trials, 1 cell x 2 seeds, 1 at a time" cat allocation.txt
}

# slurmctld starts anew at the moment when a task wants to go back to the queue.
part_controller() {
  submit small.yaml seed=0 training.epochs=60000 --run-dir controller >/dev/null
  sweep=controller
  expect "a task trains" 60 is_under_way 0001
  kill "${daemons[1]}"
  wait_until 20 is_gone "${daemons[1]}"
  kill -USR1 "$(pgrep -f "slurm_script $work/sweeps/controller")"
  sleep 15
  slurmctld -D </dev/null >/dev/null 2>&1 &
  daemons[1]=$!
  expect "a task asks again until Slurm answers" 120 \
    eval '"$runner" status controller 2>/dev/null | grep -q "queued (BeginTime)"'
  cancel_all
}

part_short() {
  says "a limit that is too short is said" "gives a task 00:02:00" \
    submit small.yaml seed=0 training.epochs=60000 sweep.slurm.partition=short --run-dir short
  expect "a task saves a quarter of its time before the end" 150 eval 'grep -qs "^stopped: " short/slurm/*.txt'
  says "it says how long it trains" "trains until 30 s before the end" eval "sed 's/its trials train/it trains/' short/slurm/*.txt"
  cancel_all
}

# One run in several processes, and trials of several, as alone.
part_ranks() {
  if [[ ! -f $build_dir/libvitrine_mpi.so ]]; then
    echo "left out: ranks: this build has no MPI (scripts/setup.sh --with-mpi)"
    return
  fi
  # Open MPI speaks pmix, MPICH pmi2.
  local mpi=pmix
  if [[ $(ldd "$build_dir/libvitrine_mpi.so") == *libmpich* ]]; then mpi=pmi2; fi
  [[ $(srun --mpi=list 2>&1) == *$mpi* ]] || fail "this Slurm has no $mpi"
  "$runner" small.yaml threads=1 --run-dir alone >/dev/null
  srun --mpi=$mpi --ntasks=2 "$runner" small.yaml threads=1 --run-dir ranks >ranks.txt 2>&1 ||
    fail "srun --mpi=$mpi failed:" "$(<ranks.txt)"
  cmp alone/model.safetensors ranks/model.safetensors || fail "srun --mpi=$mpi: other bits"
  echo "ok: srun --mpi=$mpi --ntasks=2 has the bits of one process"
  says "tasks that know nothing of each other are refused" "srun has started 2 processes for one run without telling them of each other" \
    srun --mpi=none --ntasks=2 "$runner" small.yaml --run-dir none
  srun --mpi=$mpi --ntasks=2 "$runner" small.yaml threads=1 training.epochs=2000 --run-dir killed >killed.txt 2>&1 &
  wait_until 60 eval 'compgen -G "killed/checkpoints/step-*" >/dev/null' || fail "nothing is trained:" "$(<killed.txt)"
  pkill -KILL -f -n -- "--run-dir killed" || fail "no process to kill"
  wait_until 45 is_idle || fail "a process that is killed does not end the others"
  echo "ok: a process that is killed ends the others"
  "$runner" resume killed --stop-after 5000 >/dev/null 2>&1 || (($? == 75)) || fail "the run cannot go on"

  SLURM_MPI_TYPE=$mpi submit small.yaml seed=0,1 threads=1 sweep.slurm.ranks=2 --jobs 1 --run-dir shared >/dev/null
  expect "trials of two processes end" 120 is_idle
  "$runner" resume shared >/dev/null || fail "trials of two processes failed:" "$(cat shared/trials/*/output.txt)"
  cmp alone/model.safetensors shared/trials/0001-*/model.safetensors || fail "a trial of two processes has other bits"
  grep -q '"ranks": 2' shared/trials/0001-*/metrics.json || fail "a trial was no run of two processes"
  echo "ok: trials of two processes have the bits of one"
}

# Stops, a preemption and a cancelled task change no bit.
part_bits() {
  sweep=slurm
  local trials first
  trials=("$root/configs/vit_digits.yaml" optimizer.lr=0.003,0.01 seed=0..1 training.epochs=12)
  "$build_dir/runner" sweep "${trials[@]}" --launcher slurm --jobs 2 sweep.slurm.trials_per_task=2 \
    sweep.slurm.time=30 sweep.slurm.partition=main --run-dir $sweep

  expect "both tasks train" 120 eval 'is_under_way 0001 && is_under_way 0003'
  first=$(all_jobs --format=%F | sort -u)
  scancel --signal=USR1 --batch "${first}_0"
  scontrol requeue "${first}_1"
  expect "a trial that gets SIGUSR1 saves and its task goes back to the queue" 60 \
    eval 'is_in_log ${first}_0 "stopped: 0001-" && is_waiting ${first}_0'
  expect "so does one that is preempted" 60 eval 'is_in_log ${first}_1 "stopped: 0003-" && is_waiting ${first}_1'
  # Slurm lets a requeued job wait for two minutes; within a second its node would refuse it.
  for task in "${first}_0" "${first}_1"; do scontrol update JobId=$task StartTime=now+3seconds; done

  expect "a task comes to its second trial" 120 is_under_way 0004
  scancel "${first}_1"
  expect "a task that is cancelled does not come back" 60 is_gone_from_queue "${first}_1"
  "$build_dir/runner" resume $sweep | tee resumed.txt
  grep -qx 'submitted 1 trial as job [0-9]* (1 task)' resumed.txt || fail "resume did not submit the one trial that is left"

  expect "all tasks end" 300 is_idle
  "$build_dir/runner" resume $sweep || fail "the sweep is not finished"

  "$build_dir/runner" sweep "${trials[@]}" --jobs 2 --run-dir local >local.txt
  results $sweep >slurm.results
  results local >local.results
  diff local.results slurm.results || fail "the results differ from the local launcher's"
  echo "ok: $(wc -l <slurm.results) results of 4 trials are the local launcher's, bit for bit"
}

parts=(queue answers places devices memory grace ranks bits)
if [[ ! ${CI:-} ]]; then parts+=(jobs rounds allocation controller short); fi
if (($#)); then parts=("$@"); fi
for part in "${parts[@]}"; do "part_$part"; done

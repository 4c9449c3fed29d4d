#!/usr/bin/env bash
# Lets one run be trained on two machines, which are two network namespaces of this one: with the bits of one process, and with a
# network that breaks. Needs root, ip and Open MPI, and is skipped (exit code 77) where they are missing.
#   scripts/ranks_test.sh
set -euo pipefail

root=$(readlink -f "${BASH_SOURCE[0]}")
root=${root%/scripts/*}
source "$root/scripts/lib.sh"

skip() {
  echo "SKIPPED: the test on two machines: $1"
  exit 77
}
fail() {
  printf 'ranks_test: %s\n' "$@" >&2
  exit 1
}

if ((EUID != 0)); then skip "it needs root"; fi
for tool in ip mpirun unshare; do
  command -v "$tool" >/dev/null || skip "no $tool"
done
[[ $(mpirun --version 2>&1) == *'Open MPI'* ]] || skip "mpirun is not that of Open MPI"
build runner
[[ -f $build_dir/libvitrine_mpi.so ]] || skip "this build has no MPI (scripts/setup.sh --with-mpi)"

work=$(mktemp -d)
nodes=("vitrine-a-$$" "vitrine-b-$$")
stop_all() {
  local status=$? node
  trap - EXIT
  set +e
  for node in "${nodes[@]}"; do
    ip netns pids "$node" 2>/dev/null | xargs -r kill -KILL
    ip netns del "$node" 2>/dev/null
    rm -rf "/etc/netns/$node"
  done
  rm -rf "$work"
  exit "$status"
}
trap stop_all EXIT

for node in "${nodes[@]}"; do
  ip netns add "$node" 2>/dev/null || skip "no network namespaces can be made here"
done
ip link add eth0 netns "${nodes[0]}" type veth peer name eth0 netns "${nodes[1]}"
for i in 0 1; do
  ip -n "${nodes[i]}" addr add "10.99.0.$((i + 1))/24" dev eth0
  ip -n "${nodes[i]}" link set eth0 up
  ip -n "${nodes[i]}" link set lo up
  mkdir -p "/etc/netns/${nodes[i]}"
  printf '%s\n' "127.0.0.1 localhost" "10.99.0.1 ${nodes[0]}" "10.99.0.2 ${nodes[1]}" >"/etc/netns/${nodes[i]}/hosts"
done

# What mpirun calls in the place of ssh: HOST COMMAND.
cat >"$work/agent" <<'END'
#!/usr/bin/env bash
host=$1
shift
exec ip netns exec "$host" unshare --uts bash -c "hostname $host; $*"
END
chmod +x "$work/agent"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 NO_COLOR=1

cd "$work"
cat >small.yaml <<'END'
dataset: {type: digits, train: 600, test: 300, validation: 100}
model: {type: vit, hidden_d: 8, n_heads: 2, n_blocks: 1, n_patches: 7, block: {type: pre_norm, dropout: 0.1}}
training: {epochs: 2, batch_size: 64, checkpoint: {every: 5 steps}}
END
runner=$build_dir/runner
on_both() {  # ARGUMENTS of the program
  ip netns exec "${nodes[0]}" unshare --uts bash -c "hostname ${nodes[0]}; exec \"\$@\"" - \
    mpirun --mca plm_rsh_agent "$work/agent" --mca btl tcp,self --mca btl_tcp_if_include eth0 --mca oob_tcp_if_include eth0 \
    --host "${nodes[0]}:1,${nodes[1]}:1" -n 2 "$runner" "$@" threads=1
}

"$runner" small.yaml threads=1 --run-dir alone >/dev/null
on_both small.yaml --run-dir both >both.txt 2>&1 || fail "a run on two machines failed:" "$(<both.txt)"
cmp alone/model.safetensors both/model.safetensors || fail "two machines have other bits than one"
grep -q "1 thread in each of 2 ranks on ${nodes[0]}, ${nodes[1]}$" both.txt || fail "the hosts are not told:" "$(<both.txt)"
[[ $("$runner" status both) == *'finished (2 ranks on 2 hosts)'* ]] || fail "status does not tell the hosts"
echo "ok: two machines have the bits of one"

on_both small.yaml training.epochs=100000 --run-dir cut >cut.txt 2>&1 &
pid=$!
for ((i = 0; i < 300; ++i)); do
  if compgen -G 'cut/checkpoints/step-*' >/dev/null; then break; fi
  sleep 0.2
done
ip -n "${nodes[0]}" link set eth0 down
begun=$SECONDS
# mpirun itself may wait longer for its daemon on the other machine.
are_there() {
  local one
  for one in $(pgrep -x runner); do
    if [[ $(readlink "/proc/$one/cwd") == "$work" ]]; then return; fi
  done
  return 1
}
while are_there && ((SECONDS - begun <= 30)); do sleep 0.2; done
if are_there; then fail "a machine that is lost does not end the others within 30 s:" "$(<cut.txt)"; fi
grep -q "^error: rank 1 of 2 on ${nodes[1]} has not answered for 15 s: it hangs, or it or its machine is gone$" cut.txt ||
  fail "the machine that is lost is not named:" "$(<cut.txt)"
echo "ok: a machine that is lost ends the others, by name"
kill -KILL $pid 2>/dev/null || true
last=$(compgen -G 'cut/checkpoints/step-*' | sort | tail -n 1)
step=$((10#$(grep -o '[0-9]*' <<<"${last##*/}" | head -n 1)))
"$runner" resume cut threads=1 --stop-after $((step + 3)) >resumed.txt 2>&1 || (($? == 75)) || fail "it cannot go on:" "$(<resumed.txt)"
echo "ok: it goes on on one machine"

#!/usr/bin/env bash
# Tries on a GPU what is otherwise only tried on CPUs, and prints figures for docs/gpu.md. Skipped (exit code 77) without one.
#   scripts/gpu_test.sh
set -euo pipefail

root=$(readlink -f "${BASH_SOURCE[0]}")
root=${root%/scripts/*}
source "$root/scripts/lib.sh"

skip() {
  echo "SKIPPED: the test on a GPU: $1"
  exit 77
}
fail() {
  printf 'gpu_test: %s\n' "$@" >&2
  exit 1
}

command -v nvidia-smi >/dev/null && nvidia-smi -L >/dev/null || skip "no NVIDIA GPU is here"
build runner
runner=$build_dir/runner
"$runner" "$root/configs/vit_digits.yaml" device=cuda --dry-run >/dev/null || fail "no run on the GPU: see above"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
nvidia-smi --query-gpu=name,driver_version --format=csv,noheader

train() { # NAME KEY=VALUE...
  local name=$1
  shift
  "$runner" "$root/configs/vit_digits.yaml" --run-dir "$work/$name" "$@" 2>&1 | tee "$work/$name.log" >/dev/null ||
    fail "$name:" "$(tail -3 "$work/$name.log")"
}
# largest_difference A B: between the losses of all epochs of two runs, relative to the larger
largest_difference() {
  python3 -I - "$work/$1/metrics.json" "$work/$2/metrics.json" <<'END'
import json, sys
a, b = ([epoch["train/loss"] for epoch in json.load(open(path))["history"]] for path in sys.argv[1:])
print(max(abs(x - y) / max(x, y) for x, y in zip(a, b, strict=True)))
END
}
agree() { # A B BOUND
  local difference
  difference=$(largest_difference "$1" "$2")
  echo "$1 against $2: losses differ by $difference of the larger (bound $3)"
  python3 -I -c 'import sys; sys.exit(float(sys.argv[1]) > float(sys.argv[2]))' "$difference" "$3" || fail "$1 and $2 disagree"
}

# The same losses on CPU and GPU, and whether steps are repeated as a graph or not.
steps=(training.epochs=1 training.max_steps=30 training.batch_size=32)
train cpu device=cpu backend=layers "${steps[@]}"
train plain device=cuda step_graph=false "${steps[@]}"
train graph device=cuda "${steps[@]}"
agree cpu plain 1e-4
agree plain graph 1e-6
grep -q 'steps are repeated as a graph' "$work/graph.log" || fail "no graph was recorded:" "$(grep graph "$work/graph.log" || true)"

# Every config that begins on the CPU begins on the GPU. Others lack data, or the run that they start from.
for config in "$root"/configs/*.yaml; do
  if ! "$runner" "$config" device=cpu --dry-run >"$work/config.log" 2>&1; then
    echo "${config##*/}: not tried, as the CPU cannot begin it: $(grep -m 1 'error:' "$work/config.log")"
    continue
  fi
  "$runner" "$config" device=cuda --dry-run >"$work/config.log" 2>&1 || fail "${config##*/}:" "$(tail -3 "$work/config.log")"
  echo "${config##*/}: sound"
done

# Two ranks on one GPU, which add up on the CPU; on two by NCCL.
if [[ -f $build_dir/libvitrine_mpi.so ]]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  mpirun --oversubscribe --bind-to none -n 2 "$runner" "$root/configs/vit_digits.yaml" --run-dir "$work/ranks" device=cuda "${steps[@]}" >"$work/ranks.log" 2>&1 ||
    fail "two ranks:" "$(tail -3 "$work/ranks.log")"
  agree plain ranks 1e-4
fi

# Images a second of ViT-B/16 at 224 px.
python3 -I - "$work/photos.safetensors" <<'END'
import json, os, struct, sys
parts, header = [], {}
for split, count in (("train", 2048), ("test", 64)):
    for name, dtype, shape, data in ((f"{split}/images", "U8", [count, 3, 224, 224], os.urandom(count * 3 * 224 * 224)),
                                     (f"{split}/labels", "I64", [count], b"".join(struct.pack("<q", i % 10) for i in range(count)))):
        begin = sum(map(len, parts))
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [begin, begin + len(data)]}
        parts.append(data)
text = json.dumps(header).encode()
with open(sys.argv[1], "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text + b"".join(parts))
END
for graph in true false; do
  for precision in bfloat16 float32; do
    train "vit-b-$precision-$graph" device=cuda "step_graph=$graph" "training.precision=$precision" \
      "dataset={type: arrays, path: $work/photos.safetensors}" model.hidden_d=768 model.n_heads=12 model.n_blocks=12 model.n_patches=14 \
      training.epochs=3 training.batch_size=128
    echo "ViT-B/16, 224 px, $precision, step_graph=$graph: $(grep -o '[0-9]* images/s' "$work/vit-b-$precision-$graph.log" | tail -1)"
  done
done
echo "passed; the suite is for scripts/test.sh"

#!/usr/bin/env bash
# Answers of libvitrine_infer and of ONNX Runtime to the same images, on one core, in alternation.
#   benchmarks/inference.sh [--repeats 5]      needs packages of Python: numpy, onnxruntime
set -euo pipefail

root=$(readlink -f "${BASH_SOURCE[0]}")
root=${root%/benchmarks/*}
source "$root/scripts/lib.sh"

build runner
exec python3 "$root/benchmarks/inference.py" --runner "$build_dir/runner" "$@"

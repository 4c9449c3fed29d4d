#!/usr/bin/env bash
# Answers of libvitrine_infer, ONNX Runtime and libtorch to the same images, on one core, in alternation.
#   benchmarks/inference.sh [--repeats 5] [--first-only]      needs packages of Python: numpy, onnxruntime; torch and safetensors for libtorch
set -euo pipefail

root=$(readlink -f "${BASH_SOURCE[0]}")
root=${root%/benchmarks/*}
source "$root/scripts/lib.sh"

build runner
exec python3 "$root/benchmarks/inference.py" --runner "$build_dir/runner" "$@"

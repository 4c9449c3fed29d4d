#!/usr/bin/env bash
# Runs Vitrine and its peers in turn on this machine, prints medians and ratios, and writes docs/benchmarks.md.
#   benchmarks/compare.sh                    everything, three times each: about an hour on 2 cores
#   benchmarks/compare.sh --only main --repeats 5
# Needs MNIST where the program finds it without a download. JAX is measured where python3 imports it.
set -euo pipefail

root=$(readlink -f "${BASH_SOURCE[0]}")
root=${root%/benchmarks/*}
source "$root/scripts/lib.sh"

build runner micro_benchmarks
python=python3
if [[ -x $root/.deps/venv/bin/python ]]; then python=$root/.deps/venv/bin/python; fi
exec "$python" "$root/benchmarks/compare.py" --runner "$build_dir/runner" "$@"

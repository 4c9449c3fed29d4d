#!/usr/bin/env bash
# Builds the fuzz targets of tests/fuzz with clang, address and undefined behaviour sanitizers, and runs
# each for RUNS mutations from its seeds. Clang is installed through apt where it is missing; the libraries
# are those that scripts/setup.sh installs.
#   scripts/fuzz.sh [RUNS=100000] [TARGET...]
#   scripts/fuzz.sh 1000000 png_fuzz
set -euo pipefail

root=$(readlink -f "${BASH_SOURCE[0]}")
root=${root%/scripts/*}
build=$root/build/fuzz
runs=${1:-100000}
if [[ ! $runs =~ ^[0-9]+$ ]]; then
  echo "usage: scripts/fuzz.sh [RUNS=100000] [TARGET...]" >&2
  exit 2
fi
shift || true

# Succeeds if clang++ is here with libFuzzer's library.
can_fuzz() {
  local folder
  folder=$(mktemp -d)
  echo 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }' >"$folder/a.cpp"
  local status=0
  clang++ -fsanitize=fuzzer,address,undefined "$folder/a.cpp" -o "$folder/a" 2>/dev/null || status=1
  rm -rf "$folder"
  return $status
}

install() {
  local sudo=()
  if [[ $EUID != 0 ]]; then
    if ! command -v sudo >/dev/null; then
      echo "Missing packages: $*. Installing them needs root; run: apt-get install $*" >&2
      exit 1
    fi
    echo "Missing packages: $*. sudo may ask for your password." >&2
    sudo=(sudo)
  fi
  "${sudo[@]}" apt-get update -q >&2
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q "$@" >&2
}

if ! can_fuzz; then
  command -v clang++ >/dev/null || install clang
  can_fuzz || install "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev"
fi

cmake -S "$root/tests/fuzz" -B "$build" -G Ninja -DCMAKE_CXX_COMPILER=clang++ >/dev/null
cmake --build "$build"
rm -rf "$build/seeds"
python3 "$root/tests/fuzz/make_corpus.py" "$build/seeds"

targets=("$@")
if [[ ${#targets[@]} == 0 ]]; then
  for source in "$root"/tests/fuzz/*_fuzz.cpp; do targets+=("$(basename "$source" .cpp)"); done
fi

failed=()
for target in "${targets[@]}"; do
  # An empty corpus, a fixed seed and fixed addresses (libFuzzer tells comparisons apart by theirs): the
  # same sources give the same mutations.
  corpus=$build/corpus/$target
  rm -rf "$corpus"
  mkdir -p "$corpus" "$build/findings"
  log=$build/$target.log
  # An image of the largest size that is read takes 5 s, in less than 200 bytes; more where others compute as well.
  # libFuzzer counts the seeds, and the empty input that it begins with, as runs too.
  unchanged=$(($(find "$build/seeds/$target" -type f | wc -l) + 1))
  if setarch -R "$build/$target" -runs=$((runs + unchanged)) -seed=1 -max_len=65536 -timeout=120 \
    -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$build/findings/$target-" \
    "$corpus" "$build/seeds/$target" >"$log" 2>&1; then
    executed=$(sed -n 's/^stat::number_of_executed_units: //p' "$log")
    echo "$target: $((executed - unchanged)) mutations without a finding"
  else
    tail -n 40 "$log"
    echo "$target: a finding; the input lies in $build/findings, the log is $log"
    failed+=("$target")
  fi
done
if [[ ${#failed[@]} != 0 ]]; then
  echo "Findings in: ${failed[*]}" >&2
  exit 1
fi

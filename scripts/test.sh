#!/usr/bin/env bash
# Sets up what is missing, builds the program and the tests, and runs them; arguments go to ctest.
#   scripts/test.sh
#   scripts/test.sh -R config
set -euo pipefail

root=$(readlink -f "${BASH_SOURCE[0]}")
root=${root%/scripts/*}
source "$root/scripts/lib.sh"

# Succeeds if the four files of MNIST, raw or gzipped, lie where the tests look.
find_mnist() {
  local place folder file places=()
  IFS=: read -ra places <<<"${VITRINE_DATA:-}"
  for place in "${places[@]}" "$root"/{data,../data,../shared/data}; do
    for folder in "$place/mnist" "$place"; do
      for file in {train,t10k}-{images-idx3,labels-idx1}-ubyte; do
        if [[ ! -f $folder/$file && ! -f $folder/$file.gz ]]; then continue 2; fi
      done
      return 0
    done
  done
  return 1
}

build runner tests
if ! find_mnist; then
  echo "MNIST was not found: the tests that need it are skipped. Its four files belong in data/mnist," \
    "or in a folder that VITRINE_DATA names."
fi
exec ctest --test-dir "$build_dir" --output-on-failure --no-tests=error "$@"

#!/usr/bin/env bash
# Sets up what is missing, builds the program and the tests, and runs them side by side, as many as there are cores.
#   scripts/test.sh
#   scripts/test.sh framework/config models/mlp/gelu.cpp     the tests of these files or folders
#   scripts/test.sh compare                                  those with this in their names
#   scripts/test.sh -R config --repeat until-fail:3          options go to ctest
# Where some are chosen nothing is built that these do not need. What is no test of its own has those of its folder.
set -euo pipefail

root=$(readlink -f "${BASH_SOURCE[0]}")
root=${root%/scripts/*}
source "$root/scripts/lib.sh"

# The options of ctest that take the next word.
takes_value='^(-C|-L|-LE|-R|-E|-FA|-FS|-FC|-I|-O|-D|-M|-T|-S|-SP|-j|--parallel|--build-config|--label-regex|--label-exclude|--tests-regex|'
takes_value+='--exclude-regex|--fixture-exclude-.*|--tests-information|--timeout|--stop-time|--repeat|--repeat-until-fail|--test-load|'
takes_value+='--output-log|--output-junit|--max-width|--resource-spec-file|--interactive-debug-mode|--test-output-.*)$'

# Sorts the arguments: `places` are files, folders and names, `options` are for ctest.
options=() places=()
parallel='' only_shows=''
while (($#)); do
  case $1 in
    -h | --help) sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"; exit ;;
    -N | --show-only*) only_shows=1 ;;&
    -j* | --parallel*) parallel=1 ;;&
    -*)
      options+=("$1")
      # The number behind -j may be left out.
      if [[ $1 =~ $takes_value && $# -gt 1 && ! ($1 =~ ^(-j|--parallel)$ && ! $2 =~ ^[0-9]+$) ]]; then
        options+=("$2")
        shift
      fi
      ;;
    *) places+=("$1") ;;
  esac
  shift
done
if [[ ! $parallel && ! ${CTEST_PARALLEL_LEVEL:-} ]]; then options+=(-j "$(nproc)"); fi

# Prints the names of all tests that ctest, with these arguments, would run.
names() { ctest --test-dir "$build_dir" -N "$@" | sed -n 's/^ *Test *#[0-9]*: //p'; }

# Prints, of the tests $all, those that $1 means: a file of tests, a folder of them, a source or its folder, or a part of
# their names.
tests_of() {
  local path=${1%/} found in_tests=''
  if [[ -e $path ]]; then path=$(readlink -f "$path"); fi
  if [[ $path == "$root" ]]; then path=tests; fi
  path=${path#"$root"/}
  path=${path#./}
  if [[ $path == tests || $path == tests/* ]]; then in_tests=1; fi
  path=${path#tests/}
  if grep -Fx "$path" <<<"$all"; then return; fi  # as ctest names it
  if [[ -e $1 || -e $root/$path || $in_tests ]]; then
    # tests/ mirrors the tree: framework/config/load.cpp is tested by framework/config/load_test.cpp, else by its folder.
    if grep -E "^${path%.*}_test\.(cpp|sh)$" <<<"$all"; then return; fi
    found=$path
    while [[ $found ]]; do
      if grep "^$found/" <<<"$all"; then return; fi
      [[ $found == */* ]] && found=${found%/*} || found=''
    done
    if [[ $in_tests ]]; then
      echo "$all"
      return
    fi
  fi
  grep -F "$path" <<<"$all"
}

# Packages that users are not asked for; without them the tests of reports in a browser and of completion in these shells are
# skipped.
for program in chromium zsh fish; do
  if [[ ${CI:-} ]] && ((EUID == 0)) && ! command -v "$program" >/dev/null; then
    { apt-get update && DEBIAN_FRONTEND=noninteractive timeout 300 apt-get install --yes --no-install-recommends "$program"; } \
      >/dev/null 2>&1 || echo "$program could not be installed" >&2
  fi
done
build build.ninja  # which knows of all tests
all=$(names)
chosen=()
for place in "${places[@]}"; do
  if ! found=$(tests_of "$place"); then
    echo "$place: no test is of it or has it in its name; scripts/test.sh -N lists all tests" >&2
    exit 2
  fi
  mapfile -t -O "${#chosen[@]}" chosen <<<"$found"
done
if ((${#chosen[@]})); then
  mapfile -t chosen < <(printf '%s\n' "${chosen[@]}" | grep -Fxf <(names "${options[@]}") || true)
  pattern=$(printf '%s\n' "${chosen[@]}" | sort -u | sed 's/[.]/[.]/g' | paste -sd '|')
  options+=(-R "^($pattern)$")
fi
if [[ $only_shows ]]; then exec ctest --test-dir "$build_dir" "${options[@]}"; fi
# The target of framework/config/load_test.cpp is framework.config.load_test.
mapfile -t targets < <(names "${options[@]}" | sed 's/\.[a-z]*$//; s|/|.|g')
if ((${#targets[@]})); then build "${targets[@]}"; fi

status=0
ctest --test-dir "$build_dir" --output-on-failure --no-tests=error "${options[@]}" || status=$?
# ctest names what was skipped, but not why.
grep --no-filename '^SKIPPED: ' "$build_dir/Testing/Temporary/LastTest.log" | sort -u || true
exit $status

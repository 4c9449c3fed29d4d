#!/usr/bin/env bash
# Which tests scripts/test.sh builds and runs for which arguments. It runs in a copy of the repository's layout, with a cmake,
# a ninja and a ctest that only write down what they are asked for.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree
failures=0

make_script() {
  printf '#!/bin/bash\n%s\n' "$2" >"$1"
  chmod +x "$1"
}

mkdir -p "$tree/scripts" "$tree/.deps" "$work/bin"
cp "$root/scripts/test.sh" "$root/scripts/lib.sh" "$root/scripts/compile_commands.py" "$tree/scripts"
make_script "$tree/scripts/setup.sh" ''
echo torch >"$tree/.deps/torch_dir"
echo c++ >"$tree/.deps/compiler"
for file in framework/config/load.cpp framework/config/load.h framework/config/node.cpp framework/files/gzip.cpp framework/simd/math.h \
  models/vit.cpp models/mlp/gelu.cpp configs/a.yaml tests/catch.h tests/framework/cli/support.h README.md; do
  mkdir -p "$tree/${file%/*}"
  touch "$tree/$file"
done
tests=(framework/config/load_test.cpp framework/config/yaml_test.cpp framework/files/gzip_test.cpp framework/cli/status_test.cpp
  framework/layout_test.cpp models/vit_test.cpp models/parts_test.cpp scripts/setup_test.sh)
for test in "${tests[@]}"; do
  mkdir -p "$tree/tests/${test%/*}"
  touch "$tree/tests/$test"
done
printf '%s\n' "${tests[@]}" >"$work/tests"

make_script "$work/bin/cmake" "mkdir -p build/\$2; touch build/\$2/build.ninja"
make_script "$work/bin/ninja" "shift 4; [[ \$1 == build.ninja ]] || echo \"\$*\" >>'$work/built'"
# As ctest does it, the last -R counts.
make_script "$work/bin/ctest" "build=\$2; shift 2
list='' wanted=. unwanted='^$' all=\"\$*\"
while ((\$#)); do
  case \$1 in
    -N) list=1 ;;
    -R) wanted=\$2; shift ;;
    -E) unwanted=\$2; shift ;;
  esac
  shift
done
found=\$(grep -E \"\$wanted\" '$work/tests' | grep -Ev \"\$unwanted\")
if [[ \$list ]]; then
  sed '/./s/^/  Test #1: /' <<<\"\$found\"
else
  mkdir -p \"\$build/Testing/Temporary\"
  touch \"\$build/Testing/Temporary/LastTest.log\"
  echo \"\$all\" >'$work/options'
  echo \$found >'$work/ran'
fi"

expect() {  # WHAT GOT WANTED
  if [[ $2 == "$3" ]]; then return; fi
  printf '%s:\n  got      %s\n  expected %s\n' "$1" "$2" "$3"
  failures=$((failures + 1))
}

run() {
  rm -f "$work/built" "$work/ran" "$work/options"
  status=0
  (cd "${from:-$tree}" && env -u CI -u VITRINE_BUILD -u CTEST_PARALLEL_LEVEL PATH="$work/bin:$PATH" "$tree/scripts/test.sh" "$@") \
    >"$work/log" 2>&1 || status=$?
  ran=$(cat "$work/ran" 2>/dev/null || true)
  built=$(cat "$work/built" 2>/dev/null || true)
  options=$(cat "$work/options" 2>/dev/null || true)
}
runs() {  # TESTS ARGUMENT...; the tests that are run, and that these very ones are built
  local wanted=$1 targets
  shift
  run "$@"
  expect "the tests of $*" "$ran" "$wanted"
  targets=$(sed 's/\.[a-z]*\( \|$\)/\1/g; s|/|.|g' <<<"$wanted")
  expect "what is built for $*" "$built" "$targets"
}

runs "${tests[*]}"
expect "as many at a time as there are cores" "$options" "--output-on-failure --no-tests=error -j $(nproc)"
runs "${tests[*]}" -j 3
expect "as many as one says" "$options" "--output-on-failure --no-tests=error -j 3"
runs "${tests[*]}" -j --progress

# A file of tests, named as it lies there or as ctest names it, and a source that has one.
load=framework/config/load_test.cpp
config="$load framework/config/yaml_test.cpp"
for place in tests/$load $load ./tests/$load "$tree/tests/$load" framework/config/load.cpp framework/config/load.h; do
  runs $load "$place"
done
from=$tree/framework/config runs $load load.cpp
from=$tree/tests/framework runs $load config/load_test.cpp
runs scripts/setup_test.sh scripts/setup.sh

# A folder, and what has no test of its own: those of the folder that is nearest.
for place in framework/config framework/config/ tests/framework/config framework/config/node.cpp; do runs "$config" "$place"; done
runs framework/cli/status_test.cpp tests/framework/cli/support.h
runs "models/vit_test.cpp models/parts_test.cpp" models/mlp
runs "models/vit_test.cpp models/parts_test.cpp" models/mlp/gelu.cpp
runs models/vit_test.cpp models/vit.cpp
runs "${tests[*]:0:5}" framework/simd
runs "${tests[*]}" tests
runs "${tests[*]}" tests/catch.h
runs "${tests[*]}" .

# Several, a part of a name, options of ctest's, and both.
runs "$config framework/files/gzip_test.cpp" framework/files/gzip.cpp framework/config
runs framework/cli/status_test.cpp status
runs "framework/config/yaml_test.cpp framework/files/gzip_test.cpp" -R 'yaml|gzip'
runs "$load" framework/config -E yaml
runs "$load" framework/config -R load
runs framework/cli/status_test.cpp --repeat until-fail:3 framework/cli
expect "options that are passed on" "${options%% -R*}" "--output-on-failure --no-tests=error --repeat until-fail:3 -j $(nproc)"

for place in configs/a.yaml README.md nothing; do
  run "$place"
  expect "$place: what is said" "$(tail -n 1 "$work/log")" \
    "$place: no test is of it or has it in its name; scripts/test.sh -N lists all tests"
  expect "$place: exit code, built and run" "$status$built$ran" 2
done
run -N -R gzip
expect "a list builds nothing" "$built" ''
expect "a list" "$(tail -n 1 "$work/log")" "  Test #1: framework/files/gzip_test.cpp"
run --help
expect "help" "$(head -n 1 "$work/log")" \
  "Sets up what is missing, builds the program and the tests, and runs them side by side, as many as there are cores."

exit $((failures > 0))

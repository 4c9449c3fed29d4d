#!/usr/bin/env bash
# What scripts/lint.sh says of a small repository.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

expect() {  # WHAT GOT WANTED
  if [[ $2 == "$3" ]]; then return; fi
  printf '%s:\n  got      %s\n  expected %s\n' "$1" "$2" "$3"
  failures=$((failures + 1))
}
lint() { env -u CI "$work/scripts/lint.sh" "$@" 2>&1; }
code() { "$@" >/dev/null && echo 0 || echo $?; }

mkdir "$work/scripts" "$work/tools"
cp "$root"/scripts/{lint,lib}.sh "$work/scripts"
cp "$root/.clang-format" "$work"
git -C "$work" init -q
printf 'int f();\n' >"$work/good.cpp"
git -C "$work" add .

# Without the tools, or with those of another version.
for name in bash readlink git xargs env sed; do ln -s "$(command -v $name)" "$work/tools"; done
printf '#!/bin/sh\necho "clang-format version 19.1.0"\n' >"$work/tools/clang-format"
chmod +x "$work/tools/clang-format"
expect "a line that says what is missing" "$(PATH=$work/tools lint --format || true)" \
  "lint: not all of clang's tools of version 14 are here: apt-get install clang-format-14, or pip install clang-format==14.0.6"
expect "its exit code" "$(PATH=$work/tools code lint --format)" 77
expect "a mistake" "$(lint --formatted || true)" "--formatted: expected --all, --format or folders"

status=$(code lint --format)
if [[ $status == 77 && $failures == 0 ]]; then
  echo "SKIPPED: there is no clang-format of version 14"
  exit 77
fi
expect "what is formatted" "$status" 0
printf 'int  f( );\n' >"$work/bad.h"
expect "what git does not know of" "$(code lint --format)" 0
git -C "$work" add .
expect "what is not formatted" "$(code lint --format)" 1
expect "where it is" "$(lint --format | grep -o 'bad.h:1:[0-9]*: error' | sort -u)" $'bad.h:1:4: error\nbad.h:1:8: error'
exit $((failures > 0))

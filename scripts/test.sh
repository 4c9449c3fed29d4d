#!/usr/bin/env bash
# Sets up what is missing, builds the program and the tests, and runs them; arguments go to ctest.
#   scripts/test.sh
#   scripts/test.sh -R config
set -euo pipefail

root=$(readlink -f "${BASH_SOURCE[0]}")
root=${root%/scripts/*}
source "$root/scripts/lib.sh"

# Too large a package to ask users for; without it the tests of reports in a browser are skipped.
if [[ ${CI:-} ]] && ((EUID == 0)) && ! command -v chromium >/dev/null; then
  { apt-get update && DEBIAN_FRONTEND=noninteractive timeout 300 apt-get install --yes --no-install-recommends chromium; } \
    >/dev/null 2>&1 || echo "chromium could not be installed" >&2
fi
build runner tests
status=0
ctest --test-dir "$build_dir" --output-on-failure --no-tests=error "$@" || status=$?
# ctest names what was skipped, but not why.
grep --no-filename '^SKIPPED: ' "$build_dir/Testing/Temporary/LastTest.log" | sort -u || true
exit $status

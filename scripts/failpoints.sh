#!/usr/bin/env bash
# Has every call to the system that a run or a sweep makes fail, and be the last of a process that is killed; lets every
# allocation of readers and writers fail; cuts the power at each moment of a run; and puts what should not be there into
# each file of a run's folder, against each verb. The suite tries some of these faults, this all of them, which takes an
# hour on two cores. At the end it tells how many there were.
#   scripts/failpoints.sh
set -euo pipefail

root=$(readlink -f "${BASH_SOURCE[0]}")
root=${root%/scripts/*}
export VITRINE_TEST_STRIDE=1
status=0
"$root/scripts/test.sh" -R '(failpoints|power_cut|hostile|allocation)_test' --timeout 5400 || status=$?
awk '/^[0-9]+\/[0-9]+ Testing: / { test = $3 }
     / faults tried$/ { faults[test] += $1 }
     END { for (test in faults) print test ": " faults[test] " faults" }' \
  "$root/build/${VITRINE_BUILD:-release}/Testing/Temporary/LastTest.log"
exit $status

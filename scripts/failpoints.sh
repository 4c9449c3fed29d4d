#!/usr/bin/env bash
# Has every call to the system that a run makes fail, and be the last of a process that is killed; cuts the power at each
# moment of a run; and puts what should not be there into each file of a run's folder, against each verb. The suite tries
# some of these faults, this all of them, which takes half an hour on two cores.
#   scripts/failpoints.sh
set -euo pipefail

root=$(readlink -f "${BASH_SOURCE[0]}")
root=${root%/scripts/*}
export VITRINE_TEST_STRIDE=1
exec "$root/scripts/test.sh" -R '(failpoints|power_cut|hostile|allocation)_test' --timeout 5400

#include "tests/fuzz/decoded.h"

VITRINE_FUZZ_TARGET(vitrine::decoded);

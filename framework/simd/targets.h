// Includes the file that HWY_TARGET_INCLUDE names once for each instruction set that is worth it:
// without those that gain nothing over their neighbours here, and those whose vectors have no fixed
// length.
#define HWY_DISABLED_TARGETS (HWY_AVX3_DL | HWY_SSSE3 | HWY_SVE | HWY_SVE2 | HWY_RVV)
#include <hwy/foreach_target.h>

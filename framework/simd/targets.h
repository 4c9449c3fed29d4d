// Includes the file that HWY_TARGET_INCLUDE names once for each instruction set that is worth it:
// without those that gain nothing over their neighbours here, and those whose vectors have no fixed
// length.
// A processor with none of them takes one number at a time, whatever the compiler: what a libhwy
// that g++ built knows as well.
#define HWY_BROKEN_EMU128 1
#define HWY_DISABLED_TARGETS (HWY_AVX3_DL | HWY_SSSE3 | HWY_SVE | HWY_SVE2 | HWY_RVV)
#include <hwy/foreach_target.h>

// The rows of an operation's operands. Included once for each instruction set.
#if defined(VITRINE_PROGRAM_CALL) == defined(HWY_TARGET_TOGGLE)
#ifdef VITRINE_PROGRAM_CALL
#undef VITRINE_PROGRAM_CALL
#else
#define VITRINE_PROGRAM_CALL
#endif

#include "framework/program/operation.h"
#include "framework/simd/matrix-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::simd::HWY_NAMESPACE {

// Calls `work` with the image and the token of each row, and the row's number among all.
template <class Work>
HWY_INLINE void for_rows(const Call& call, size_t tokens, const Work& work) {
  for (size_t image = 0; image < call.images; ++image) {
    for (size_t t = 0; t < tokens; ++t) work(image, t, image * tokens + t);
  }
}

// Calls `work(image, count)` for images whose rows follow each other without a gap in all of the
// matrices, with the number of those rows.
template <class Work, class... Matrices>
HWY_INLINE void for_row_blocks(const Call& call, size_t tokens, const Work& work,
                               const Matrices&... m) {
  if (call.images == 1 || ((m.image == tokens * m.row) && ...))
    return work(0, call.images * tokens);
  for (size_t image = 0; image < call.images; ++image) work(image, tokens);
}

}  // namespace vitrine::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif

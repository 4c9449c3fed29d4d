#include "framework/model/blas.h"

#include "framework/simd/gemm.h"

// Of the BLAS that libtorch brings, where it has one that can be seen: MKL, in its builds for x86.
// What libtorch itself calls it by (at::native::cpublas::gemm) is hidden in its libraries.
extern "C" [[gnu::weak]] void sgemm_(const char* transpose_a, const char* transpose_b, const int* m,
                                     const int* n, const int* k, const float* alpha, const float* a,
                                     const int* a_row, const float* b, const int* b_row,
                                     const float* beta, float* c, const int* c_row);

// Of MKL: for calls on this thread; 0 is what holds for all. Returns what held before.
extern "C" [[gnu::weak]] int MKL_Set_Num_Threads_Local(int threads);

namespace vitrine {
namespace {

// MKL shares a product among threads of its own, which would get in the way of the kernel's, and
// gives other bits for other numbers of them.
class OnThisThread {
 public:
  OnThisThread() : before_(MKL_Set_Num_Threads_Local ? MKL_Set_Num_Threads_Local(1) : 0) {}
  ~OnThisThread() {
    if (MKL_Set_Num_Threads_Local) MKL_Set_Num_Threads_Local(before_);
  }
  OnThisThread(const OnThisThread&) = delete;
  OnThisThread& operator=(const OnThisThread&) = delete;

 private:
  int before_;
};

// Its matrices lie column by column, so that what lies here is transposed there.
void gemm_of_blas(size_t m, size_t n, size_t k, simd::GemmFactor a, simd::GemmFactor b, float* c,
                  size_t c_row, bool adds) {
  const auto whole = [](size_t x) { return static_cast<int>(x); };
  const int rows = whole(n), columns = whole(m), terms = whole(k);
  const int a_row = whole(a.row), b_row = whole(b.row), row = whole(c_row);
  const float one = 1, beta = adds ? 1 : 0;
  const OnThisThread alone;
  sgemm_(b.transposed ? "T" : "N", a.transposed ? "T" : "N", &rows, &columns, &terms, &one, b.at,
         &b_row, a.at, &a_row, &beta, c, &row);
}

void use_blas() {
  if (sgemm_) simd::use_gemm(gemm_of_blas);
}

[[maybe_unused]] const bool in_use = (use_blas(), true);

}  // namespace

WithoutBlas::WithoutBlas() { simd::use_gemm(nullptr); }
WithoutBlas::~WithoutBlas() { use_blas(); }

}  // namespace vitrine

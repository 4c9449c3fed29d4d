#include <ATen/Parallel.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/zeros.h>

#include "framework/simd/gemm.h"
#include "framework/tensor.h"
#include "tests/catch.h"

namespace vitrine {

// The shapes of 784 tokens' attention, and of the gradient of a wide layer's weights.
TEST_CASE("a product has the same bits, however many threads libtorch has") {
  for (const auto& [m, n, k] : {std::tuple{784, 16, 784}, {62, 784, 16}, {64, 256, 6272}}) {
    const Tensor a = at::rand({k, m}) - 0.5, b = at::rand({k, n}) - 0.5;
    std::vector<Tensor> products;
    for (const int threads : {1, 2, 4}) {
      at::set_num_threads(threads);
      products.push_back(at::zeros({m, n}));
      simd::gemm(static_cast<size_t>(m), static_cast<size_t>(n), static_cast<size_t>(k),
                 {a.const_data_ptr<float>(), static_cast<size_t>(m), true},
                 {b.const_data_ptr<float>(), static_cast<size_t>(n)},
                 products.back().data_ptr<float>(), static_cast<size_t>(n), false);
      INFO(m << " x " << n << " x " << k << ", " << threads << " threads");
      CHECK(at::equal(products.back(), products.front()));
    }
    at::set_num_threads(1);
    CHECK((products.front() - a.t().matmul(b)).abs().max().item<double>() < 1e-4);
  }
}

}  // namespace vitrine

#include "framework/model/flops.h"

#include "framework/torch.h"
#include "tests/catch.h"

namespace vitrine {
namespace {

template <class Run>
int64_t flops_of(Run run) {
  at::NoGradGuard no_grad;
  const FlopCounter counter;
  run();
  return counter.count();
}

}  // namespace

TEST_CASE(
    "matrix products count a multiplication with its addition as two, once however they are "
    "called") {
  const Tensor x = at::rand({2, 5, 3}), weight = at::rand({4, 3}), bias = at::rand({4});
  CHECK(flops_of([&] { at::linear(x, weight, bias); }) == 2 * 2 * 5 * 3 * 4);
  CHECK(flops_of([&] { at::linear(x.transpose(0, 1), weight, bias); }) == 2 * 2 * 5 * 3 * 4);
  CHECK(flops_of([&] { at::linear(x, weight); }) == 2 * 2 * 5 * 3 * 4);
  CHECK(flops_of([&] { at::matmul(x, x.transpose(1, 2)); }) == 2 * 2 * 5 * 3 * 5);
  CHECK(flops_of([&] {
          at::baddbmm(at::rand({2, 1, 5}), x, x.transpose(1, 2));
        }) == 2 * 2 * 5 * 3 * 5);
  CHECK(flops_of([&] { at::gelu(x + x); }) == 0);
}

TEST_CASE("convolutions and attention are counted") {
  const Tensor images = at::rand({1, 3, 8, 8}), kernel = at::rand({6, 3, 3, 3});
  CHECK(flops_of([&] { at::conv2d(images, kernel, {}, 2, 1); }) == 2 * 6 * 4 * 4 * 3 * 3 * 3);
  const Tensor q = at::rand({1, 2, 3, 4}), k = at::rand({1, 2, 7, 4});
  CHECK(flops_of([&] { at::scaled_dot_product_attention(q, k, k); }) == 2 * 2 * 2 * 3 * 7 * 4);
}

TEST_CASE("a counter counts only while it lives") {
  const Tensor x = at::rand({3, 3});
  at::mm(x, x);
  const FlopCounter counter;
  CHECK(counter.count() == 0);
}

}  // namespace vitrine

#include "framework/model/softmax.h"

#include <ATen/ops/log_softmax.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/softmax.h>

#include <algorithm>
#include <limits>

#include "tests/catch.h"
#include "tests/instruction_sets.h"

namespace vitrine {
namespace {

void check_close(const Tensor& got, const Tensor& wanted) {
  REQUIRE(got.sizes() == wanted.sizes());
  const double scale = std::max(wanted.abs().max().item<double>(), 1.0);
  CHECK((got.to(at::kDouble) - wanted).abs().max().item<double>() < 2e-6 * scale);
}

// What softmax or its logarithm give for x, and the gradient by x of their sum, weighted.
template <class Function>
void check_function(const Function& ours, const Function& formula, const Tensor& x) {
  const Tensor weights = at::randn(x.sizes());
  const Tensor exact = x.detach().to(at::kDouble).requires_grad_(true);
  const Tensor wanted = formula(exact);
  (wanted * weights).sum().backward();
  const Tensor single = x.detach().requires_grad_(true);
  const Tensor got = ours(single);
  check_close(got, wanted);
  (got * weights).sum().backward();
  check_close(single.grad(), exact.grad());
}

using Function = Tensor (*)(const Tensor&);
const Function kSoftmax = [](const Tensor& x) { return at::softmax(x, -1); };
const Function kLogSoftmax = [](const Tensor& x) { return at::log_softmax(x, -1); };

}  // namespace

TEST_CASE("softmax, its logarithm and their gradients follow the formula for any shape") {
  at::manual_seed(3);
  with_each_instruction_set([] {
    for (const auto& [rows, columns] : {std::pair(1, 1), std::pair(1, 10), std::pair(128, 10),
                                        std::pair(37, 2), std::pair(16, 31), std::pair(5, 1000)}) {
      CAPTURE(rows, columns);
      const Tensor x = at::randn({rows, columns}) * 4;
      check_function(Function(softmax), kSoftmax, x);
      check_function(Function(log_softmax), kLogSoftmax, x);
    }
    check_function(Function(softmax), kSoftmax, at::randn({7, 3, 5}));
    check_function(Function(log_softmax), kLogSoftmax, at::randn({5, 7}).t());
  });
}

TEST_CASE("softmax of logits far apart is finite, and of one that is not a number none is") {
  with_each_instruction_set([] {
    const float most = std::numeric_limits<float>::max();
    Tensor x = at::zeros({3, 4});
    x[1][2] = most;
    x[2][1] = std::numeric_limits<float>::quiet_NaN();
    const Tensor shares = softmax(x), logs = log_softmax(x);
    CHECK(shares[0].allclose(at::full({4}, 0.25f)));
    CHECK(shares[1].allclose(at::tensor({0.0f, 0.0f, 1.0f, 0.0f})));
    CHECK(logs[1].allclose(at::tensor({-most, -most, 0.0f, -most}), 0, 1e-6));
    CHECK(shares[2].isnan().all().item<bool>());
    CHECK(logs[2].isnan().all().item<bool>());
  });
}

TEST_CASE("softmax of no rows") {
  CHECK(softmax(at::zeros({0, 10})).sizes() == at::IntArrayRef({0, 10}));
  CHECK(log_softmax(at::zeros({0, 10})).sizes() == at::IntArrayRef({0, 10}));
}

}  // namespace vitrine

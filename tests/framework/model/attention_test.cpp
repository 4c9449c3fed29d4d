#include "framework/model/attention.h"

#include <ATen/Parallel.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/randn_like.h>
#include <ATen/ops/softmax.h>

#include <cmath>
#include <random>

#include "framework/model/flops.h"
#include "tests/catch.h"

namespace vitrine {
namespace {

// The formula, in double precision. [B, heads, n, d] -> [B, n, heads * d]
Tensor by_formula(const Tensor& q, const Tensor& k, const Tensor& v) {
  const Tensor scores = at::matmul(q.to(at::kDouble), k.to(at::kDouble).transpose(-1, -2));
  const Tensor shares = at::softmax(scores / std::sqrt(static_cast<double>(q.size(3))), -1);
  return at::matmul(shares, v.to(at::kDouble)).transpose(1, 2).flatten(2);
}

void check_close(const Tensor& got, const Tensor& wanted) {
  REQUIRE(got.sizes() == wanted.sizes());
  const double scale = std::max(wanted.abs().max().item<double>(), 1e-3);
  CHECK((got.to(at::kDouble) - wanted).abs().max().item<double>() <= 1e-5 * scale);
}

struct Shape {
  int64_t batch, heads, queries, tokens, width;
};

Shape random_shape(std::mt19937& generator) {
  const auto pick = [&](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(generator);
  };
  const int64_t tokens = pick(1, 20);
  return {pick(1, 40), pick(1, 4), pick(1, tokens), tokens, pick(1, 36)};
}

// [count, B, heads, n, d], lying as a linear layer's outputs do or in order.
Tensor make(std::mt19937& generator, const Shape& s, int64_t count, int64_t n) {
  const bool packed = generator() % 2 == 0;
  const Tensor out = packed
                         ? at::randn({s.batch, n, count, s.heads, s.width}).permute({2, 0, 3, 1, 4})
                         : at::randn({count, s.batch, s.heads, n, s.width});
  return out.detach().requires_grad_(true);
}

}  // namespace

TEST_CASE("attention and its gradients follow the formula for any shape and strides") {
  at::manual_seed(3);
  std::mt19937 generator(5);
  for (int i = 0; i < 60; ++i) {
    const Shape s = random_shape(generator);
    CAPTURE(i, s.batch, s.heads, s.queries, s.tokens, s.width);
    const bool together = s.queries == s.tokens;
    const Tensor first = make(generator, s, together ? 3 : 1, s.queries);
    const Tensor kv = together ? first.narrow(0, 1, 2) : make(generator, s, 2, s.tokens);
    const Tensor wanted = by_formula(first[0], kv[0], kv[1]);
    const Tensor weight = at::randn_like(wanted);
    (wanted * weight).sum().backward();
    const Tensor first_gradient = first.grad().clone();
    const Tensor kv_gradient = together ? Tensor() : kv.grad().clone();
    first.mutable_grad().reset();
    if (!together) kv.mutable_grad().reset();

    const Tensor got = attention_of_heads(first[0], kv[0], kv[1]);
    check_close(got, wanted);
    (got * weight.to(at::kFloat)).sum().backward();
    check_close(first.grad(), first_gradient.to(at::kDouble));
    if (!together) check_close(kv.grad(), kv_gradient.to(at::kDouble));
  }
}

TEST_CASE(
    "attention without gradients gives the same bits as with them, on any number of threads") {
  at::manual_seed(3);
  const Tensor qkv = at::randn({3, 37, 2, 11, 4});
  const Tensor trained = qkv.detach().clone().requires_grad_(true);
  const Tensor wanted = attention_of_heads(trained[0], trained[1], trained[2]);
  const int threads = at::get_num_threads();
  for (int count : {1, 2, 3}) {
    at::set_num_threads(count);
    CHECK(at::equal(attention_of_heads(qkv[0], qkv[1], qkv[2]), wanted));
  }
  at::set_num_threads(threads);
}

TEST_CASE("attention's work is counted whichever kernel does it") {
  for (int64_t width : {4, 64}) {
    const Tensor qkv = at::rand({3, 2, 3, 5, width});
    const FlopCounter flops;
    attention_of_heads(qkv[0], qkv[1], qkv[2]);
    CHECK(flops.count() == 4 * 2 * 3 * 5 * 5 * width);
  }
}

}  // namespace vitrine

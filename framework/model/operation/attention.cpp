#include "framework/model/attention.h"

#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>

#include <cmath>

#include "framework/model/random_mask.h"
#include "framework/model/value.h"

namespace vitrine {
namespace {

Tensor with_dropout(const TorchCall& call, const Tensor& q, const Tensor& k, const Tensor& v) {
  const int64_t n = q.size(2), tokens = k.size(2), heads = q.size(1);
  const Tensor scores =
      at::matmul(q, k.transpose(2, 3)) / std::sqrt(static_cast<double>(q.size(3)));
  const auto number = [&](int64_t i) {
    const int64_t head = i / (n * tokens), query = i / tokens % n + call.count(3);
    return (head * tokens + query) * tokens + i % tokens;
  };
  const Tensor mask =
      random_mask(call, q, heads * n * tokens, call.numbers[1], call.count(2), number)
          .view({-1, heads, n, tokens});
  return at::matmul(at::softmax(scores, -1) * mask, v).transpose(1, 2).flatten(2);
}

Tensor attention_form(const TorchCall& call) {
  const int64_t heads = call.count(0), width = call.inputs[0].size(2) / heads;
  int64_t images = 1;  // a table stands for all of them
  for (const Tensor& x : call.inputs) {
    if (x.size(0) != 1) images = x.size(0);
  }
  const auto by_head = [&](const Tensor& x) {  // [B or 1, n, D] -> [B, heads, n, width]
    return x.expand({images, -1, -1}).unflatten(2, {heads, width}).transpose(1, 2);
  };
  const Tensor q = by_head(call.inputs[0]), k = by_head(call.inputs[1]),
               v = by_head(call.inputs[2]);
  return call.numbers[1] > 0 ? with_dropout(call, q, k, v) : attention_of_heads(q, k, v);
}

VITRINE_TORCH_FORM(attention, attention_form)

}  // namespace
}  // namespace vitrine

#include "framework/model/attention.h"

#include <ATen/Parallel.h>
#include <ATen/TensorIterator.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <torch/csrc/autograd/custom_function.h>

#include "framework/model/flops.h"
#include "framework/simd/attention.h"

namespace vitrine {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kWidest = 32;  // from there on libtorch's is faster

// x [B, heads, n, d]
bool is_served(const Tensor& x) {
  // Places within a group of images, at most 16, are counted in 32 bits.
  return x.is_cpu() && x.scalar_type() == at::kFloat && x.size(3) <= kWidest && x.numel() > 0 &&
         x.stride(0) < (int64_t{1} << 24) && x.stride(3) == 1;
}

// Calls `work` with each number below `count`, on libtorch's own threads.
template <class Work>
void for_each_group(size_t count, const Work& work) {
  if (at::get_num_threads() == 1) {
    for (size_t i = 0; i < count; ++i) work(i);
    return;
  }
  const Tensor numbers = at::arange(static_cast<int64_t>(count));
  auto iterator = at::TensorIteratorConfig()
                      .check_all_same_dtype(false)
                      .resize_outputs(false)
                      .declare_static_shape(numbers.sizes())
                      .add_output(numbers)
                      .build();
  iterator.for_each(
      [&](char** data, const int64_t* strides, int64_t n) {
        for (int64_t i = 0; i < n; ++i)
          work(static_cast<size_t>(*reinterpret_cast<int64_t*>(data[0] + i * strides[0])));
      },
      /*grain_size=*/1);
}

template <class Float>
simd::Heads<Float> heads_of(const Tensor& x) {  // [B, heads, n, d]
  const auto stride = [&](int64_t i) { return static_cast<size_t>(x.stride(i)); };
  return {x.data_ptr<float>(), stride(0), stride(1), stride(2)};
}

// [B, n, heads * d] as [B, heads, n, d]
Tensor by_head(const Tensor& x, size_t heads) {
  const auto count = static_cast<int64_t>(heads);
  return x.unflatten(2, {count, x.size(2) / count}).transpose(1, 2);
}

struct Saved : torch::CustomClassHolder {
  simd::AttentionSize size;
  Tensor kept;
  Tensor like_q, like_k, like_v;  // gradients lie as the inputs did
};

// A tensor whose [B, n, heads, d] lie in order, as [B, heads, n, d].
Tensor empty_like_heads(const Tensor& x) {
  return at::empty({x.size(0), x.size(2), x.size(1), x.size(3)}, at::kFloat).transpose(1, 2);
}

class NarrowHeads : public torch::autograd::Function<NarrowHeads> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& q, const Tensor& k,
                        const Tensor& v) {
    const auto length = [](const Tensor& x, int64_t i) { return static_cast<size_t>(x.size(i)); };
    const simd::AttentionSize size{length(q, 0), length(q, 1), length(q, 2), length(k, 2),
                                   length(q, 3)};
    const size_t groups = simd::attention_groups(size), floats = simd::attention_kept(size);
    auto saved = c10::make_intrusive<Saved>();
    saved->size = size;
    saved->kept = at::empty({static_cast<int64_t>(groups * floats)}, at::kFloat);
    saved->like_q = q.detach();
    saved->like_k = k.detach();
    saved->like_v = v.detach();
    const Tensor out = at::empty({q.size(0), q.size(2), q.size(1) * q.size(3)}, at::kFloat);
    const auto from_q = heads_of<const float>(q), from_k = heads_of<const float>(k);
    const auto from_v = heads_of<const float>(v);
    const auto to = heads_of<float>(by_head(out, size.heads));
    float* kept = saved->kept.data_ptr<float>();
    for_each_group(groups, [&](size_t group) {
      simd::attention_forward(size, group, from_q, from_k, from_v, to, kept + group * floats);
    });
    FlopCounter::add(static_cast<int64_t>(4 * size.tokens) * out.numel());
    context->saved_data["saved"] = c10::IValue::make_capsule(std::move(saved));
    return out;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto capsule = context->saved_data["saved"].toCapsule();
    const Saved& saved = static_cast<const Saved&>(*capsule);
    const Tensor out = gradients[0].contiguous();
    const Tensor q = empty_like_heads(saved.like_q), k = empty_like_heads(saved.like_k);
    const Tensor v = empty_like_heads(saved.like_v);
    const auto to_q = heads_of<float>(q), to_k = heads_of<float>(k), to_v = heads_of<float>(v);
    const auto from = heads_of<const float>(by_head(out, saved.size.heads));
    const float* kept = saved.kept.data_ptr<float>();
    const size_t floats = simd::attention_kept(saved.size);
    for_each_group(simd::attention_groups(saved.size), [&](size_t group) {
      simd::attention_backward(saved.size, group, kept + group * floats, from, to_q, to_k, to_v);
    });
    return {q, k, v};
  }
};

}  // namespace

Tensor attention_of_heads(const Tensor& q, const Tensor& k, const Tensor& v) {
  if (is_served(q) && is_served(k) && is_served(v)) return NarrowHeads::apply(q, k, v);
  return at::scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2);
}

}  // namespace vitrine

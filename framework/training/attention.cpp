#include "framework/training/attention.h"

#include <ATen/Parallel.h>
#include <ATen/TensorIterator.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <torch/csrc/autograd/custom_function.h>

#include "framework/simd/attention.h"
#include "framework/training/flops.h"

namespace vitrine {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kWidest = 32;  // from there on libtorch's is faster

// x [1 to 3, B, heads, n, d]
bool is_served(const Tensor& x) {
  // Places within a group of images, at most 16, are counted in 32 bits.
  return x.is_cpu() && x.scalar_type() == at::kFloat && x.size(4) <= kWidest && x.numel() > 0 &&
         x.stride(1) < (int64_t{1} << 24) && x.stride(4) == 1;
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

// q, k and v where they lie: all three in `first`, or k and v in `second`.
template <class Float>
struct Triple {
  Triple(const Tensor& first, const Tensor& second)
      : q(heads_of<Float>(first[0])),
        k(heads_of<Float>(second.defined() ? second[0] : first[1])),
        v(heads_of<Float>(second.defined() ? second[1] : first[2])) {}
  simd::Heads<Float> q, k, v;
};

// [B, n, heads * d] as [B, heads, n, d]
Tensor by_head(const Tensor& x, size_t heads) {
  const auto count = static_cast<int64_t>(heads);
  return x.unflatten(2, {count, x.size(2) / count}).transpose(1, 2);
}

struct Saved : torch::CustomClassHolder {
  simd::AttentionSize size;
  Tensor kept;
  Tensor like_first, like_second;  // gradients lie as the inputs did
};

class NarrowHeads : public torch::autograd::Function<NarrowHeads> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& first,
                        const std::optional<Tensor>& maybe_second) {
    const Tensor second = maybe_second.value_or(Tensor());
    const auto length = [](const Tensor& x, int64_t i) { return static_cast<size_t>(x.size(i)); };
    const simd::AttentionSize size{length(first, 1), length(first, 2), length(first, 3),
                                   length(second.defined() ? second : first, 3), length(first, 4)};
    const size_t groups = simd::attention_groups(size), floats = simd::attention_kept(size);
    auto saved = c10::make_intrusive<Saved>();
    saved->size = size;
    saved->kept = at::empty({static_cast<int64_t>(groups * floats)}, at::kFloat);
    saved->like_first = first.detach();
    if (second.defined()) saved->like_second = second.detach();
    const Tensor out =
        at::empty({first.size(1), first.size(3), first.size(2) * first.size(4)}, at::kFloat);
    const Triple<const float> from(first, second);
    const auto to = heads_of<float>(by_head(out, size.heads));
    float* kept = saved->kept.data_ptr<float>();
    for_each_group(groups, [&](size_t group) {
      simd::attention_forward(size, group, from.q, from.k, from.v, to, kept + group * floats);
    });
    FlopCounter::add(static_cast<int64_t>(4 * size.tokens) * out.numel());
    context->saved_data["saved"] = c10::IValue::make_capsule(std::move(saved));
    return out;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto capsule = context->saved_data["saved"].toCapsule();
    const Saved& saved = static_cast<const Saved&>(*capsule);
    const Tensor out = gradients[0].contiguous();
    const Tensor first = at::empty_like(saved.like_first);
    const Tensor second =
        saved.like_second.defined() ? at::empty_like(saved.like_second) : Tensor();
    const Triple<float> to(first, second);
    const auto from = heads_of<const float>(by_head(out, saved.size.heads));
    const float* kept = saved.kept.data_ptr<float>();
    const size_t floats = simd::attention_kept(saved.size);
    for_each_group(simd::attention_groups(saved.size), [&](size_t group) {
      simd::attention_backward(saved.size, group, kept + group * floats, from, to.q, to.k, to.v);
    });
    return {first, second};
  }
};

Tensor with_libtorch(const Tensor& q, const Tensor& k, const Tensor& v, double dropout) {
  return at::scaled_dot_product_attention(q, k, v, {}, dropout).transpose(1, 2).flatten(2);
}

}  // namespace

Tensor attention(const Tensor& qkv, double dropout) {
  if (dropout == 0 && is_served(qkv)) return NarrowHeads::apply(qkv, std::nullopt);
  const auto each = qkv.unbind(0);
  return with_libtorch(each[0], each[1], each[2], dropout);
}

Tensor attention(const Tensor& q, const Tensor& kv, double dropout) {
  const Tensor first = q.unsqueeze(0);
  if (dropout == 0 && is_served(first) && is_served(kv)) return NarrowHeads::apply(first, kv);
  const auto each = kv.unbind(0);
  return with_libtorch(q, each[0], each[1], dropout);
}

}  // namespace vitrine

// Compiled once for each instruction set; the best one is picked as the program runs.
#include "framework/simd/attention.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/simd/attention.cpp"
#include "framework/simd/targets.h"
// After it:
#include <cmath>

#include "framework/simd/attention-inl.h"
#include "framework/simd/rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::simd::HWY_NAMESPACE {
namespace {

// Of some images, one head.
class Group {
 public:
  Group(const AttentionSize& size, size_t group)
      : size_(size), head_(group % size.heads), first_(group / size.heads * N) {
    count_ = std::min(N, size.batch - first_);
  }

  template <class Float>
  void load_tokens(const Heads<Float>& from, size_t n, float* to) const {
    const Offsets offsets = offsets_of(count_, from.image * sizeof(float));
    for (size_t t = 0; t < n; ++t)
      spread_floats(at(from, t), offsets, size_.width, to + t * size_.width * N);
  }
  void store_tokens(const float* from, size_t n, float factor, const Heads<float>& to) const {
    for (size_t t = 0; t < n; ++t, from += size_.width * N)
      collect_floats(from, size_.width, factor, count_, to.image, at(to, t));
  }

 private:
  template <class Float>
  Float* at(const Heads<Float>& heads, size_t t) const {
    return heads.start + first_ * heads.image + head_ * heads.head + t * heads.token;
  }

  const AttentionSize& size_;
  size_t head_, first_, count_;
};

float scale_of(const AttentionSize& size) { return 1 / std::sqrt(static_cast<float>(size.width)); }

// What a group keeps, in vectors: q, k, v, o, then a maximum and an inverse sum of each query.
Head head_in(const AttentionSize& size, float* kept) {
  const size_t n = size.queries * size.width * N, tokens = size.tokens * size.width * N;
  float *q = kept, *k = q + n, *v = k + tokens, *o = v + tokens, *maximum = o + n;
  const size_t row = size.width * N;
  return {{q, row},   {k, row},    {v, row},      {o, row}, maximum, maximum + size.queries * N,
          size.width, size.tokens, scale_of(size)};
}

}  // namespace

size_t Groups(const AttentionSize& size) { return size.heads * ((size.batch + N - 1) / N); }
size_t Kept(const AttentionSize& size) {
  return N * (2 * (size.queries + size.tokens) * size.width + 2 * size.queries);
}

void Forward(const AttentionSize& size, size_t index, const Heads<const float>& q,
             const Heads<const float>& k, const Heads<const float>& v, const Heads<float>& out,
             float* kept) {
  const Group group(size, index);
  const Head head = head_in(size, kept);
  group.load_tokens(q, size.queries, kept);
  group.load_tokens(k, size.tokens, head.k.at);
  group.load_tokens(v, size.tokens, head.v.at);
  attend(head, size.queries, scratch(attention_scratch(size.width, size.tokens)));
  group.store_tokens(head.o.at, size.queries, 1, out);
}

void Backward(const AttentionSize& size, size_t index, const float* kept,
              const Heads<const float>& out_gradient, const Heads<float>& q_gradient,
              const Heads<float>& k_gradient, const Heads<float>& v_gradient) {
  const Group group(size, index);
  const Head head = head_in(size, const_cast<float*>(kept));
  const size_t n = size.queries * size.width, tokens = size.tokens * size.width;
  float* dout = scratch(2 * (n + tokens) + attention_scratch(size.width, size.tokens));
  float *dq = dout + n * N, *dk = dq + n * N, *dv = dk + tokens * N;
  group.load_tokens(out_gradient, size.queries, dout);
  for (size_t i = 0; i < 2 * tokens; ++i) store(zero(), dk + i * N);
  const size_t row = size.width * N;
  attend_backward(head, {{dout, row}, {dq, row}, {dk, row}, {dv, row}}, size.queries,
                  dv + tokens * N);
  group.store_tokens(dq, size.queries, 1, q_gradient);
  group.store_tokens(dk, size.tokens, 1, k_gradient);
  group.store_tokens(dv, size.tokens, 1, v_gradient);
}

}  // namespace vitrine::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::simd {

HWY_EXPORT(Groups);
HWY_EXPORT(Kept);
HWY_EXPORT(Forward);
HWY_EXPORT(Backward);

size_t attention_groups(const AttentionSize& size) { return HWY_DYNAMIC_DISPATCH(Groups)(size); }
size_t attention_kept(const AttentionSize& size) { return HWY_DYNAMIC_DISPATCH(Kept)(size); }
void attention_forward(const AttentionSize& size, size_t group, const Heads<const float>& q,
                       const Heads<const float>& k, const Heads<const float>& v,
                       const Heads<float>& out, float* kept) {
  HWY_DYNAMIC_DISPATCH(Forward)(size, group, q, k, v, out, kept);
}
void attention_backward(const AttentionSize& size, size_t group, const float* kept,
                        const Heads<const float>& out_gradient, const Heads<float>& q_gradient,
                        const Heads<float>& k_gradient, const Heads<float>& v_gradient) {
  HWY_DYNAMIC_DISPATCH(Backward)
  (size, group, kept, out_gradient, q_gradient, k_gradient, v_gradient);
}

}  // namespace vitrine::simd
#endif

#pragma once

#include <cstddef>

// softmax(q k^T / sqrt(width)) v for heads so narrow that a product of matrices is mostly overhead.
// A vector holds one number of each of several images, as in the encoder `fused`. Without torch.
namespace vitrine::simd {

struct AttentionSize {
  size_t batch, heads, queries, tokens, width;
};

// [batch, heads, n, width]; an element's place is start + image * b + head * h + token * t +
// column.
template <class Float>
struct Heads {
  Float* start;
  size_t image, head, token;  // in floats
};

// The work falls into groups that are independent of each other.
size_t attention_groups(const AttentionSize& size);
// Floats that a group's forward pass keeps for its backward pass.
size_t attention_kept(const AttentionSize& size);

// One group. `kept`: attention_kept floats, aligned to 64 bytes. Images of a group lie less than 2
// GiB apart.
void attention_forward(const AttentionSize& size, size_t group, const Heads<const float>& q,
                       const Heads<const float>& k, const Heads<const float>& v,
                       const Heads<float>& out, float* kept);
void attention_backward(const AttentionSize& size, size_t group, const float* kept,
                        const Heads<const float>& out_gradient, const Heads<float>& q_gradient,
                        const Heads<float>& k_gradient, const Heads<float>& v_gradient);

}  // namespace vitrine::simd

#pragma once

#include "models/patches.h"

namespace vitrine {

// How much a task's output attends to each patch of one image. A task reads the tokens by its
// shares of the pooling (all of the class token, or a mean over the patches, plain or learned), so
// what it attends to is the mean of the tokens' attention by these shares.
struct AttentionMaps {
  Tensor heads;    // [blocks, heads, rows, columns]
  Tensor rollout;  // [blocks, rows, columns]: through this block and all before it
};

// `input`: one image as the model takes it, [1, C, H, W]. Throws Error(kUsage) for a model that
// gives no probabilities of attention, or no shares of its pooling.
AttentionMaps attention_maps(Model& model, const Tensor& input, int64_t task,
                             const Patching& patching);

// Abnar and Zuidema 2020, "Quantifying attention flow in transformers": heads are averaged, half of
// a token's information passes by the attention, and the blocks' matrices are multiplied.
// `attention`: of each block [heads, N, N]. Returns [blocks, N, N].
Tensor attention_rollout(const std::vector<Tensor>& attention);

}  // namespace vitrine

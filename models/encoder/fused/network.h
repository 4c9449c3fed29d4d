#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

// What the fused encoder computes, in types that need no torch. T tokens (the special ones first),
// D columns, H heads, M hidden columns of the MLP.
namespace vitrine::fused {

constexpr size_t kNoGradient = ~size_t{0};

// A parameter: where its values are, and where its gradient lies in a buffer of all gradients.
struct Parameter {
  const float* values = nullptr;  // null: there is none
  size_t gradient = kNoGradient;
};

// out[to + o] = bias[o] + sum over i of weight[o][i] in[from + i]
struct Linear {
  Parameter weight, bias;
  size_t out = 0, in = 0;  // numbers of columns; no columns: there is no such map
  size_t to = 0, from = 0;
};

struct Norm {
  Parameter weight, bias;
  float eps = 0;
};

struct Block {
  Norm norm1, norm2;
  std::vector<Linear> q, k, v;  // one for all heads, or one a head
  Linear projection;            // may be missing
  Linear fc1, fc2;
};

enum class Pooling { kSpecialTokens, kMean, kAttention };

struct Network {
  // Images, cut into rows x columns patches that are flattened channel, row, column.
  size_t channels = 0, height = 0, width = 0, rows = 0, columns = 0;
  size_t d = 0, heads = 0, hidden = 0, tasks = 0;
  Linear embedding;                       // missing: the input is tokens already
  std::vector<Parameter> special_tokens;  // [D] each
  Parameter positions;                    // [T, D]; may be missing
  std::vector<Block> blocks;
  bool has_final_norm = false;
  Norm final_norm;
  Pooling pooling = Pooling::kSpecialTokens;
  Linear scores;              // of attention pooling: D -> tasks
  size_t gradient_count = 0;  // floats in a buffer of all gradients

  size_t patches() const { return rows * columns; }
  size_t tokens() const { return special_tokens.size() + patches(); }
  size_t pixels() const { return channels * height * width; }
  size_t patch_pixels() const { return pixels() / patches(); }
  // How many leading tokens block `index` has to give: of the last, only those that pooling reads.
  size_t outputs_of(size_t index) const {
    return index + 1 == blocks.size() && pooling == Pooling::kSpecialTokens ? tasks : tokens();
  }
};

// The images of a batch, in one of three forms.
struct Input {
  const uint8_t* bytes = nullptr;  // [B, pixels], 255 is 1
  const float* values = nullptr;   // [B, pixels]
  const float* tokens = nullptr;   // [B, patches, D]
};

// Where the parts of a group's memory begin. A group is as many images as a vector has lanes; every
// number below counts vectors, which hold one value of each image.
struct BlockState {
  size_t x, mean1, scale1, q, k, v, maximum, inverse, o, y, mean2, scale2, g, slope;
};
struct GroupState {
  std::vector<BlockState> blocks;
  size_t out, mean, scale, shares;  // after the last block
  size_t size;
};
GroupState group_state(const Network& network);

// What is used while one group is computed and forgotten afterwards.
struct Scratch {
  size_t patches, h, z, scores, dx, dz, dq, dk, dv, dh, pooled;
  size_t size;
};
Scratch scratch_of(const Network& network);

// Images a group, on this processor.
size_t group_size();
// Name of the instruction set that is used, such as "AVX3".
const char* instruction_set();

struct Group {
  size_t first = 0, count = 0;  // images of the batch; count may be less than group_size()
  float* state = nullptr;       // group_state().size vectors, aligned to them
  float* scratch = nullptr;     // scratch_of().size vectors, aligned
};

// pooled: [B, tasks, D]. The state is left with what backward needs.
void forward(const Network& network, const Input& input, const Group& group, float* pooled);
// From the gradient of `pooled` adds to `gradients` (gradient_count floats) and writes that of the
// input's tokens [B, patches, D] where `token_gradients` is given.
void backward(const Network& network, const Input& input, const Group& group,
              const float* pooled_gradients, float* gradients, float* token_gradients);

}  // namespace vitrine::fused

#pragma once

#include <array>
#include <vector>

#include "framework/model/value.h"

// What parts of a model are written with. Each operation is a file of framework/program/operation,
// where its shapes are told; n stands for tokens.
namespace vitrine {

// --- linear maps; weights are [out, in], where all dimensions but the first count as one

Value linear(const Value& x, const Tensor& weight, const Tensor& bias = {});
// Columns in groups, each with maps of its own: the weights [out, columns / groups] of all groups
// for the first map, which gives the first columns, then for the next; the biases [out] likewise.
Value grouped_linear(const Value& x, int64_t groups, const std::vector<Tensor>& weights,
                     const std::vector<Tensor>& biases);
// A map of features [height * width, channels]; weight [out, channels, height, width]. Pairs are
// rows, columns.
Value convolution(const Value& x, std::array<int64_t, 2> size, const Tensor& weight,
                  const Tensor& bias, std::array<int64_t, 2> stride = {1, 1},
                  std::array<int64_t, 2> padding = {0, 0});

// --- functions of each number

Value gelu(const Value& x);
Value gelu_tanh(const Value& x);
Value relu(const Value& x);
Value silu(const Value& x);
Value sigmoid(const Value& x);
Value tanh(const Value& x);
Value square(const Value& x);
Value exp(const Value& x);
Value log(const Value& x);
Value maximum(const Value& x, double least);

// --- parts and wholes

Value tokens(const Value& x, int64_t first, int64_t count);
Value columns(const Value& x, int64_t first, int64_t count);
Value join_tokens(const std::vector<Value>& parts);
Value join_columns(const std::vector<Value>& parts);
Value transpose(const Value& x);  // [n, columns] -> [columns, n]
Value flatten(const Value& x);    // [n, columns] -> [1, n * columns], token by token
// The rows of x [n, columns] with these numbers [k, 1], which may differ from image to image.
Value gather_tokens(const Value& x, const Value& numbers);
// x [n, columns] -> [n, 1]: of each token the column with this number [n, 1].
Value pick(const Value& x, const Value& numbers);
Value one_hot(const Value& numbers, int64_t columns);  // [n, 1] -> [n, columns]

// --- over columns or tokens

// With `parts`, each part of the columns by itself, by the same weights [columns / parts].
Value layer_norm(const Value& x, const Tensor& weight, const Tensor& bias, double eps,
                 int64_t parts = 1);
Value rms_norm(const Value& x, const Tensor& weight, double eps, int64_t parts = 1);
Value softmax(const Value& x);                            // over columns
Value log_softmax(const Value& x);                        // over columns
Value mean_over_tokens(const Value& x);                   // [n, columns] -> [1, columns]
Value mean_over_columns(const Value& x);                  // [n, columns] -> [n, 1]
Value weighted_sum(const Value& shares, const Value& x);  // [k, n], [n, columns] -> [k, columns]
// Windows that move over a map of features [height * width, channels].
Value max_pool(const Value& x, std::array<int64_t, 2> size, std::array<int64_t, 2> kernel,
               std::array<int64_t, 2> stride);
Value mean_pool(const Value& x, std::array<int64_t, 2> size, std::array<int64_t, 2> kernel,
                std::array<int64_t, 2> stride);

// --- attention; a head is a part of the columns

// softmax(q k^T / sqrt(width)) v; each probability is dropped with probability `dropout`.
Value attention(const Value& q, const Value& k, const Value& v, int64_t heads, double dropout = 0);
// [heads * n, n]; to be looked at, without a gradient.
Value attention_probabilities(const Value& q, const Value& k, int64_t heads);
// Each head's halves as coordinates of points, turned by angles of the token: cosines and sines are
// fixed tables [n, half a head's width].
Value rotate(const Value& x, const Tensor& cosines, const Tensor& sines, int64_t heads);

// --- from outside

// Images [C, H, W] in rows x columns patches, each flattened channel, row, column; with a patch for
// each pixel a map of features.
Value patches(const Value& images, int64_t rows, int64_t columns);
// A parameter, or a fixed table, [n, columns] or [columns]: the same for every image.
Value table(const Tensor& rows);
// What comes with each image besides its pixels, [1, columns]: a target, such as the number of a
// class, or a teacher's outputs. `number` is its place in the feed.
Value input(int64_t number, int64_t columns = 1);

// --- random: dropout and drop_path while training alone

Value dropout(const Value& x, double probability);
Value drop_path(const Value& x, double probability);  // of all of an image's numbers at once
// Numbers from 0 on in a random order, another one for each image, in evaluation too; [count, 2]:
// in the first column which number stands at each place, in the second the place of each number.
Value random_order(int64_t count);

}  // namespace vitrine

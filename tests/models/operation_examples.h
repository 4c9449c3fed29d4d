#pragma once

#include <functional>
#include <map>
#include <string>

#include "tests/models/random_program.h"

// Every operation that there is.
namespace vitrine {

using MakeExample = std::function<Value(OperationModel&)>;

// Each operation in the forms that its kernel has; sizes fit no tile.
inline std::multimap<std::string, MakeExample> operation_examples() {
  using M = OperationModel&;
  return {
      {"add", [](M m) { return m.input(5, 7) + m.input(5, 7); }},
      {"add", [](M m) { return m.input(5, 7) + m.input(1, 7); }},
      {"add", [](M m) { return m.input(5, 1) + m.input(5, 7); }},
      {"add", [](M m) { return m.input(5, 1) + m.input(1, 7); }},
      {"add", [](M m) { return m.input(1, 1) + m.input(5, 7); }},
      {"add",
       [](M m) {
         const Value x = m.input(3, 4);
         return x + x;
       }},
      {"multiply", [](M m) { return m.input(5, 7) * m.input(5, 7); }},
      {"multiply", [](M m) { return m.input(5, 7) * m.input(1, 7); }},
      {"multiply", [](M m) { return m.input(5, 1) * m.input(5, 7); }},
      {"multiply", [](M m) { return m.input(5, 1) * m.input(1, 7); }},
      {"multiply",
       [](M m) {
         const Value x = m.input(3, 4);
         return x * x;
       }},
      {"scale", [](M m) { return m.input(3, 5) * -2.5; }},
      {"linear",
       [](M m) {
         return linear(m.input(5, 7), m.parameter({9, 7}), m.parameter({9}));
       }},
      {"linear",
       [](M m) {
         return linear(m.input(5, 7), m.parameter({1, 7}));
       }},
      {"linear",
       [](M m) {
         return linear(m.input(1, 33), m.parameter({18, 33}), m.parameter({18}));
       }},
      {"linear",
       [](M m) {
         return linear(m.input(37, 1), m.parameter({3, 1}));
       }},
      {"grouped_linear",
       [](M m) {
         return grouped_linear(m.input(5, 6), 3,
                               {m.parameter({4, 2}), m.parameter({4, 2}), m.parameter({4, 2})},
                               {m.parameter({4}), m.parameter({4}), m.parameter({4})});
       }},
      {"grouped_linear",
       [](M m) {  // two maps of each of two groups
         std::vector<Tensor> weights, biases;
         for (int i = 0; i < 4; ++i) weights.push_back(m.parameter({5, 3}));
         for (int i = 0; i < 4; ++i) biases.push_back(m.parameter({5}));
         return grouped_linear(m.input(4, 6), 2, weights, biases);
       }},
      {"grouped_linear",
       [](M m) {  // of which one is read for all tokens, and one for a few
         std::vector<Tensor> weights, biases;
         for (int i = 0; i < 4; ++i) weights.push_back(m.parameter({3, 3}));
         for (int i = 0; i < 4; ++i) biases.push_back(m.parameter({3}));
         const Value maps = grouped_linear(m.input(4, 6), 2, weights, biases);
         return tokens(columns(maps, 0, 6), 1, 2) * mean_over_tokens(columns(maps, 6, 6));
       }},
      {"convolution",
       [](M m) {
         return convolution(m.input(5 * 6, 3), {5, 6}, m.parameter({4, 3, 3, 2}), m.parameter({4}));
       }},
      {"convolution",
       [](M m) {
         return convolution(m.input(5 * 6, 3), {5, 6}, m.parameter({4, 3, 3, 3}), {}, {2, 1},
                            {1, 2});
       }},
      {"gelu", [](M m) { return gelu(m.input(5, 7)); }},
      {"gelu_tanh", [](M m) { return gelu_tanh(m.input(5, 7)); }},
      {"relu", [](M m) { return relu(m.input(5, 7)); }},
      {"silu", [](M m) { return silu(m.input(5, 7)); }},
      {"sigmoid", [](M m) { return sigmoid(m.input(5, 7)); }},
      {"tanh", [](M m) { return tanh(m.input(5, 7)); }},
      {"square", [](M m) { return square(m.input(5, 7)); }},
      {"exp", [](M m) { return exp(tanh(m.input(5, 7))); }},
      {"log", [](M m) { return log(sigmoid(m.input(5, 7))); }},
      {"maximum", [](M m) { return maximum(m.input(5, 7), 0.25); }},
      {"tokens", [](M m) { return tokens(m.input(5, 7), 2, 2); }},
      {"tokens", [](M m) { return tanh(tokens(m.input(5, 7), 1, 3)); }},
      {"columns", [](M m) { return columns(m.input(5, 7), 3, 2); }},
      {"columns",
       [](M m) {
         const Value x = m.input(5, 7);
         return columns(x, 0, 3) * columns(x, 4, 3) + columns(x, 1, 3);
       }},
      {"join_tokens",
       [](M m) {
         return join_tokens({m.input(2, 3), m.input(4, 3), m.input(1, 3)});
       }},
      {"join_tokens",
       [](M m) {
         const Value x = tanh(m.input(2, 3));
         return join_tokens({x, table(m.parameter({2, 3})), x});
       }},
      {"join_columns",
       [](M m) {
         return join_columns({m.input(3, 2), m.input(3, 5)});
       }},
      {"join_columns",
       [](M m) {
         const Value x = gelu(m.input(3, 4));
         return tanh(join_columns({x, columns(x, 1, 2), m.input(3, 1)})) *
                table(m.parameter({1, 7}));
       }},
      {"transpose", [](M m) { return transpose(m.input(5, 7)); }},
      {"flatten", [](M m) { return flatten(m.input(5, 7)); }},
      {"gather_tokens", [](M m) { return gather_tokens(m.input(5, 7), m.numbers(8, 5)); }},
      {"gather_tokens",
       [](M m) {  // other ones of each image
         const Value order = columns(random_order(5), 0, 1);
         return gather_tokens(m.input(5, 7), tokens(order, 0, 3)) +
                gather_tokens(table(m.parameter({5, 7})), tokens(order, 1, 3));
       }},
      {"gather_tokens",
       [](M m) {  // one of them more than once
         const Value places = columns(random_order(6), 1, 1);
         return gather_tokens(m.input(4, 7), maximum(places, 3) - table(at::full({1}, 2.0F)));
       }},
      {"random_order", [](M m) { return random_order(9) * m.input(9, 2); }},
      {"pick", [](M m) { return pick(m.input(5, 7), m.numbers(5, 7)); }},
      {"one_hot", [](M m) { return one_hot(m.numbers(5, 7), 7) * m.input(5, 7); }},
      {"layer_norm",
       [](M m) { return layer_norm(m.input(5, 8), m.parameter({8}), m.parameter({8}), 1e-3); }},
      {"layer_norm",
       [](M m) { return layer_norm(m.input(5, 12), m.parameter({4}), m.parameter({4}), 1e-3, 3); }},
      {"rms_norm", [](M m) { return rms_norm(m.input(5, 9), m.parameter({9}), 1e-3); }},
      {"rms_norm", [](M m) { return rms_norm(m.input(5, 12), m.parameter({6}), 1e-3, 2); }},
      {"softmax", [](M m) { return softmax(m.input(5, 7)); }},
      {"log_softmax", [](M m) { return log_softmax(m.input(5, 7)); }},
      {"mean_over_tokens", [](M m) { return mean_over_tokens(m.input(5, 7)); }},
      {"mean_over_columns", [](M m) { return mean_over_columns(m.input(5, 7)); }},
      {"weighted_sum", [](M m) { return weighted_sum(m.input(3, 5), m.input(5, 7)); }},
      {"max_pool",
       [](M m) {
         return max_pool(m.input(5 * 6, 3), {5, 6}, {2, 3}, {2, 1});
       }},
      {"mean_pool",
       [](M m) {
         return mean_pool(m.input(5 * 6, 3), {5, 6}, {2, 3}, {1, 2});
       }},
      {"attention", [](M m) { return attention(m.input(5, 6), m.input(5, 6), m.input(5, 6), 2); }},
      {"attention",
       [](M m) { return attention(m.input(3, 10), m.input(21, 10), m.input(21, 10), 1); }},
      {"attention",
       [](M m) { return attention(m.input(4, 6), m.input(7, 6), m.input(7, 6), 3, 0.4); }},
      {"attention",
       [](M m) {
         return tokens(attention(m.input(4, 6), m.input(7, 6), m.input(7, 6), 2, 0.4), 2, 1);
       }},
      {"attention",
       [](M m) {  // learned queries
         return attention(table(m.parameter({2, 6})), m.input(7, 6), m.input(7, 6), 2);
       }},
      {"attention",
       [](M m) {
         const Value k = table(m.parameter({7, 6}));
         return attention(m.input(3, 6), k, table(m.parameter({7, 6})), 3, 0.3);
       }},
      {"attention",
       [](M m) {
         const Value x = m.input(5, 6);
         return attention(x, x, x, 2);
       }},
      {"attention",
       [](M m) {
         const Value x = m.input(5, 6);
         return attention(x, x, m.input(5, 6), 1, 0.3) + attention(m.input(5, 6), x, x, 2);
       }},
      {"weighted_sum",
       [](M m) {
         const Value x = m.input(5, 5);
         return weighted_sum(x, x);
       }},
      {"attention_probabilities",
       [](M m) { return attention_probabilities(m.input(3, 6), m.input(7, 6), 2); }},
      {"rotate",
       [](M m) {
         const Tensor angles = at::arange(5 * 3, at::kFloat).view({5, 3});
         return rotate(m.input(5, 12), angles.cos(), angles.sin(), 2);
       }},
      {"rotate",
       [](M m) {
         const Tensor angles = at::arange(5 * 3, at::kFloat).view({5, 3});
         return tokens(rotate(m.input(5, 6), angles.cos(), angles.sin(), 1), 3, 2);
       }},
      {"patches", [](M m) { return m.input(2, 3); }},  // which is made of them
      {"table",
       [](M m) {
         return table(m.parameter({5, 7})) * m.input(1, 7);
       }},
      {"table", [](M m) { return table(m.parameter({7})) * m.input(5, 7); }},
      {"table",
       [](M m) {
         return tokens(table(m.parameter({5, 7})), 3, 2) + m.input(2, 7);
       }},
      {"dropout", [](M m) { return dropout(m.input(5, 7), 0.4); }},
      {"dropout", [](M m) { return tokens(dropout(m.input(5, 7), 0.4), 2, 2); }},
      // What is the same for all images is dropped for each by itself.
      {"dropout",
       [](M m) {
         return dropout(table(m.parameter({5, 7})), 0.4) * m.input(1, 7);
       }},
      {"drop_path",
       [](M m) {
         return drop_path(table(m.parameter({5, 7})), 0.4) + m.input(5, 7);
       }},
      {"drop_path", [](M m) { return drop_path(m.input(5, 7), 0.4); }},
      {"drop_path",
       [](M m) {
         const Value x = m.input(5, 7);
         return drop_path(x, 0.4) + drop_path(tanh(x), 0.4);
       }},
  };
}

}  // namespace vitrine

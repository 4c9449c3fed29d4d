#include "framework/model/operations.h"

#include "framework/error.h"

namespace vitrine {
namespace {

double number(int64_t x) { return static_cast<double>(x); }

Value pool(const char* operation, const Value& x, std::array<int64_t, 2> size,
           std::array<int64_t, 2> kernel, std::array<int64_t, 2> stride) {
  return apply(operation, {x}, {},
               {number(size[0]), number(size[1]), number(kernel[0]), number(kernel[1]),
                number(stride[0]), number(stride[1])});
}

}  // namespace

Value linear(const Value& x, const Tensor& weight, const Tensor& bias) {
  return apply("linear", {x}, {weight, bias});
}
Value grouped_linear(const Value& x, int64_t groups, const std::vector<Tensor>& weights,
                     const std::vector<Tensor>& biases) {
  std::vector<Tensor> parameters = weights;
  parameters.insert(parameters.end(), biases.begin(), biases.end());
  return apply("grouped_linear", {x}, parameters, {number(groups)});
}
Value convolution(const Value& x, std::array<int64_t, 2> size, const Tensor& weight,
                  const Tensor& bias, std::array<int64_t, 2> stride,
                  std::array<int64_t, 2> padding) {
  return apply("convolution", {x}, {weight, bias},
               {number(size[0]), number(size[1]), number(weight.size(2)), number(weight.size(3)),
                number(stride[0]), number(stride[1]), number(padding[0]), number(padding[1])});
}

Value gelu(const Value& x) { return apply("gelu", {x}); }
Value gelu_tanh(const Value& x) { return apply("gelu_tanh", {x}); }
Value relu(const Value& x) { return apply("relu", {x}); }
Value silu(const Value& x) { return apply("silu", {x}); }
Value sigmoid(const Value& x) { return apply("sigmoid", {x}); }
Value tanh(const Value& x) { return apply("tanh", {x}); }
Value square(const Value& x) { return apply("square", {x}); }
Value exp(const Value& x) { return apply("exp", {x}); }
Value log(const Value& x) { return apply("log", {x}); }
Value maximum(const Value& x, double least) { return apply("maximum", {x}, {}, {least}); }

Value tokens(const Value& x, int64_t first, int64_t count) {
  if (first == 0 && count == x.tokens()) return x;
  return apply(kTokensPart, {x}, {}, {number(first), number(count)});
}
Value columns(const Value& x, int64_t first, int64_t count) {
  if (first == 0 && count == x.columns()) return x;
  return apply(kColumnsPart, {x}, {}, {number(first), number(count)});
}
Value join_tokens(const std::vector<Value>& parts) {
  return parts.size() == 1 ? parts[0] : apply("join_tokens", parts);
}
Value join_columns(const std::vector<Value>& parts) {
  return parts.size() == 1 ? parts[0] : apply("join_columns", parts);
}
Value transpose(const Value& x) { return apply("transpose", {x}); }
Value flatten(const Value& x) { return apply("flatten", {x}); }
Value gather_tokens(const Value& x, const Value& numbers) {
  return apply("gather_tokens", {x, numbers});
}
Value pick(const Value& x, const Value& numbers) { return apply("pick", {x, numbers}); }
Value one_hot(const Value& numbers, int64_t columns) {
  return apply("one_hot", {numbers}, {}, {number(columns)});
}

Value layer_norm(const Value& x, const Tensor& weight, const Tensor& bias, double eps,
                 int64_t parts) {
  return apply("layer_norm", {x}, {weight, bias}, {eps, number(parts)});
}
Value rms_norm(const Value& x, const Tensor& weight, double eps, int64_t parts) {
  return apply("rms_norm", {x}, {weight}, {eps, number(parts)});
}
Value softmax(const Value& x) { return apply("softmax", {x}); }
Value log_softmax(const Value& x) { return apply("log_softmax", {x}); }
Value mean_over_tokens(const Value& x) { return apply("mean_over_tokens", {x}); }
Value mean_over_columns(const Value& x) { return apply("mean_over_columns", {x}); }
Value weighted_sum(const Value& shares, const Value& x) {
  return apply("weighted_sum", {shares, x});
}
Value max_pool(const Value& x, std::array<int64_t, 2> size, std::array<int64_t, 2> kernel,
               std::array<int64_t, 2> stride) {
  return pool("max_pool", x, size, kernel, stride);
}
Value mean_pool(const Value& x, std::array<int64_t, 2> size, std::array<int64_t, 2> kernel,
                std::array<int64_t, 2> stride) {
  return pool("mean_pool", x, size, kernel, stride);
}

Value attention(const Value& q, const Value& k, const Value& v, int64_t heads, double dropout) {
  const double site = dropout > 0 ? next_site() : 0;
  return apply("attention", {q, k, v}, {}, {number(heads), dropout, site, 0});
}
Value attention_probabilities(const Value& q, const Value& k, int64_t heads) {
  return apply("attention_probabilities", {q, k}, {}, {number(heads)});
}
Value rotate(const Value& x, const Tensor& cosines, const Tensor& sines, int64_t heads) {
  return apply("rotate", {x}, {cosines, sines}, {number(heads), 0});
}

Value patches(const Value& images, int64_t rows, int64_t columns) {
  return apply("patches", {images}, {}, {number(rows), number(columns)});
}
Value table(const Tensor& rows) {
  return apply("table", {}, {rows}, {0, number(rows.numel() / rows.size(-1))});
}
Value input(int64_t index, int64_t columns) {
  return apply("input", {}, {}, {number(index), number(columns)});
}

Value dropout(const Value& x, double probability) {
  return apply("dropout", {x}, {}, {probability, next_site(), 0});
}
Value random_order(int64_t count) {
  return apply("random_order", {}, {}, {number(count), next_site()});
}
Value drop_path(const Value& x, double probability) {
  return apply("drop_path", {x}, {}, {probability, next_site()});
}

}  // namespace vitrine

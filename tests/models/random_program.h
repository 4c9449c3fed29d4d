#pragma once

#include <fmt/format.h>

#include <random>

#include "framework/model/operations.h"
#include "tests/models/support.h"

// Models that are made of operations alone.
namespace vitrine {

// A model of one operation or a few, whose operands are made of images and of parameters.
class OperationModel : public Model {
 public:
  static constexpr int64_t kSide = 4;  // of its images, of one channel
  using Make = std::function<std::vector<Value>(OperationModel&)>;

  explicit OperationModel(Make make) : make_(std::move(make)) {
    const at::NoGradGuard no_grad;
    const Tensor images = at::zeros({1, 1, kSide, kSide});
    const TorchFeed feed{images, {at::zeros({1})}, {}};
    const WithFeed with_feed(feed);
    forward(images);  // which makes its parameters
  }
  static ModelContext images() { return images_of(1, kSide, kSide); }

  std::vector<Value> forward(const Value& images) override {
    pixels_ = flatten(patches(images, 2, 2));
    used_ = 0;
    return make_(*this);
  }
  const std::vector<Task>& tasks() const override { return tasks_; }

  // A trained parameter; the same at each call of forward.
  Tensor parameter(std::vector<int64_t> sizes) {
    const std::string name = fmt::format("p{}", used_++);
    if (Tensor* known = named_parameters().find(name)) return *known;
    return register_parameter(name, at::randn(sizes) * 0.7);
  }
  // An operand that differs from image to image, with a gradient.
  Value input(int64_t tokens, int64_t columns) {
    const Value of_image = linear(pixels_, parameter({columns, kSide * kSide}));
    return of_image * table(parameter({tokens, columns})) + table(parameter({tokens, columns}));
  }
  // Whole numbers below `count`, [tokens, 1].
  Value numbers(int64_t tokens, int64_t count) {
    std::vector<float> rows;
    for (int64_t i = 0; i < tokens; ++i) rows.push_back(static_cast<float>((i * 7 + 3) % count));
    return table(at::tensor(rows).view({tokens, 1}));
  }

 private:
  Make make_;
  Value pixels_;
  int64_t used_ = 0;
  std::vector<Task> tasks_;
};

// A random program: operations on what is there already, views and wholes of it, results that are
// read often and results that are read in parts.
class RandomProgram {
 public:
  explicit RandomProgram(uint32_t seed) : seed_(seed) {}

  std::vector<Value> operator()(OperationModel& model) {
    generator_.seed(seed_);
    values_ = {model.input(pick(1, 5), pick(1, 6)), model.input(pick(1, 5), pick(1, 6))};
    const int64_t steps = pick(4, 16);
    for (int64_t i = 0; i < steps; ++i) values_.push_back(next(model));
    std::vector<Value> out = {values_.back()};
    for (int64_t more = pick(0, 2); more > 0; --more) out.push_back(any());
    return out;
  }

 private:
  int64_t pick(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(generator_() % static_cast<uint32_t>(high - low + 1));
  }
  Value any() {
    return values_[static_cast<size_t>(pick(0, static_cast<int64_t>(values_.size()) - 1))];
  }
  Value like(OperationModel& model, int64_t tokens, int64_t columns) {
    for (int i = 0; i < 4; ++i) {
      const Value x = any();
      if (x.tokens() == tokens && x.columns() == columns) return x;
    }
    return model.input(tokens, columns);
  }

  Value next(OperationModel& model) {
    const Value x = any();
    const int64_t n = x.tokens(), d = x.columns();
    switch (pick(0, 20)) {
      case 0:
        return linear(x, model.parameter({pick(1, 6), d}), {});
      case 1: {
        const int64_t out = pick(1, 6);
        return linear(x, model.parameter({out, d}), model.parameter({out}));
      }
      case 2:
        return gelu(x);
      case 3:
        return tanh(x);
      case 4:
        return sigmoid(x) * x;
      case 5:
        return x + like(model, n, d);
      case 6:
        return tanh(x) * like(model, n, d);
      case 7: {
        const int64_t first = pick(0, n - 1);
        return tokens(x, first, pick(1, n - first));
      }
      case 8: {
        const int64_t first = pick(0, d - 1);
        return columns(x, first, pick(1, d - first));
      }
      case 9:
        return join_tokens({x, like(model, pick(1, 3), d)});
      case 10:
        return join_columns({like(model, n, pick(1, 3)), x});
      case 11:
        return softmax(x);
      case 12:
        return transpose(tanh(x));
      case 13:
        return mean_over_tokens(x) + x;
      case 14: {
        const Value k = like(model, pick(1, 4), d);
        return attention(x, k, like(model, k.tokens(), d), 1);
      }
      case 15:
        return dropout(x, 0.3);
      case 16:
        return drop_path(x, 0.2) + x;
      case 17:
        return weighted_sum(softmax(like(model, pick(1, 3), n)), x);
      case 18:
        return x * 0.5;
      case 19:
        return join_tokens({x, x});
      default:
        return tanh(x - mean_over_columns(x));
    }
  }

  uint32_t seed_;
  std::mt19937 generator_;
  std::vector<Value> values_;
};

}  // namespace vitrine

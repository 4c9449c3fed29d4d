// Every operation there is, by the kernel and in libtorch: outputs and gradients.
#include <functional>
#include <map>
#include <set>

#include "framework/program/operation.h"
#include "tests/instruction_sets.h"
#include "tests/models/agreement.h"
#include "tests/models/random_program.h"

namespace vitrine {
namespace {

using Make = std::function<Value(OperationModel&)>;

// Each operation in the forms that its kernel has; sizes fit no tile.
std::multimap<std::string, Make> examples() {
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

void check_operation(const OperationModel::Make& make, int64_t batch) {
  at::manual_seed(4);
  const ModelContext images = OperationModel::images();
  const Pair pair(std::make_shared<OperationModel>(make), images);
  check_both_modes(pair, [&] { return bytes_for(images, batch); });
}
// Few images and many: they may lie in different ways.
void check_operation(const OperationModel::Make& make) {
  for (const int64_t batch : {3, 21}) {
    CAPTURE(batch);
    check_operation(make, batch);
  }
}

}  // namespace

TEST_CASE("every operation has a form in libtorch and an example here") {
  std::set<std::string> shown = {"input"};  // which needs a feed: a loss is its example
  for (const auto& [name, make] : examples()) shown.insert(name);
  const auto names = operation_names();
  CHECK(shown == std::set<std::string>(names.begin(), names.end()));
  for (const std::string& name : names) {
    CAPTURE(name);
    CHECK_NOTHROW(find_torch_form(name));
  }
  CHECK_THROWS_WITH(find_torch_form("folding"), "the operation folding has no form in libtorch");
  CHECK_THROWS_WITH(find_operation("folding"), "there is no operation called folding");
}

TEST_CASE("every operation agrees, alone") {
  for (const auto& [name, make] : examples()) {
    CAPTURE(name);
    check_operation([make = make](OperationModel& m) { return std::vector{make(m)}; });
  }
}

// The gradient of a sum is that of both terms, of which one is computed from the other.
TEST_CASE("operations agree that are added to what they read") {
  using M = OperationModel&;
  using Of = std::function<Value(M, const Value&)>;
  const std::vector<std::pair<std::string, Of>> all = {
      {"linear",
       [](M m, const Value& x) {
         return linear(x, m.parameter({6, 6}));
       }},
      {"grouped_linear",
       [](M m, const Value& x) {
         return grouped_linear(x, 2, {m.parameter({3, 3}), m.parameter({3, 3})},
                               {m.parameter({3}), m.parameter({3})});
       }},
      {"convolution",
       [](M m, const Value& x) {
         return convolution(x, {2, 3}, m.parameter({6, 6, 3, 3}), m.parameter({6}), {1, 1}, {1, 1});
       }},
      {"gelu", [](M, const Value& x) { return gelu(x); }},
      {"multiply", [](M m, const Value& x) { return x * m.input(6, 6); }},
      {"scale", [](M, const Value& x) { return x * 3; }},
      {"transpose", [](M, const Value& x) { return transpose(x); }},
      {"softmax", [](M, const Value& x) { return softmax(x); }},
      {"log_softmax", [](M, const Value& x) { return log_softmax(x); }},
      {"layer_norm",
       [](M m, const Value& x) { return layer_norm(x, m.parameter({6}), m.parameter({6}), 1e-3); }},
      {"rms_norm", [](M m, const Value& x) { return rms_norm(x, m.parameter({2}), 1e-3, 3); }},
      {"weighted_sum", [](M m, const Value& x) { return weighted_sum(m.input(6, 6), x); }},
      {"weighted_sum", [](M m, const Value& x) { return weighted_sum(x, m.input(6, 6)); }},
      {"weighted_sum", [](M, const Value& x) { return weighted_sum(x, x); }},
      {"gather_tokens", [](M m, const Value& x) { return gather_tokens(x, m.numbers(6, 5)); }},
      {"attention",
       [](M m, const Value& x) { return attention(x, m.input(4, 6), m.input(4, 6), 2); }},
      {"attention",
       [](M m, const Value& x) { return attention(m.input(6, 6), x, m.input(6, 6), 2); }},
      {"attention",
       [](M m, const Value& x) { return attention(m.input(6, 6), m.input(6, 6), x, 2, 0.3); }},
      {"attention", [](M, const Value& x) { return attention(x, x, x, 2); }},
      {"rotate",
       [](M, const Value& x) {
         const Tensor angles = at::arange(6 * 3, at::kFloat).view({6, 3});
         return rotate(x, angles.cos(), angles.sin(), 1);
       }},
      {"max_pool",
       [](M, const Value& x) {
         return max_pool(x, {6, 1}, {1, 1}, {1, 1});
       }},
      {"mean_pool",
       [](M, const Value& x) {
         return mean_pool(x, {6, 1}, {1, 1}, {1, 1});
       }},
      {"dropout", [](M, const Value& x) { return dropout(x, 0.4); }},
      {"drop_path", [](M, const Value& x) { return drop_path(x, 0.4); }},
      {"join_tokens",
       [](M, const Value& x) {
         return join_tokens({tokens(x, 3, 3), tokens(x, 0, 3)});
       }},
      {"join_columns",
       [](M, const Value& x) {
         return join_columns({columns(x, 2, 4), columns(x, 0, 2)});
       }},
  };
  for (const auto& [name, of] : all) {
    CAPTURE(name);
    check_operation([of = of](M m) {
      const Value x = m.input(6, 6);
      return std::vector{x + of(m, x)};
    });
    check_operation([of = of](M m) {
      const Value x = tanh(m.input(6, 6));
      const Value y = of(m, x) + x;
      return std::vector{y * x + x};
    });
  }
}

TEST_CASE("every operation agrees, read twice, by an output too") {
  for (const auto& [name, make] : examples()) {
    CAPTURE(name);
    check_operation([make = make](OperationModel& m) {
      const Value x = make(m);
      return std::vector{x, square(x) + x * 0.5};
    });
  }
}

TEST_CASE("every operation agrees, of which a token is read") {
  for (const auto& [name, make] : examples()) {
    CAPTURE(name);
    check_operation([make = make](OperationModel& m) {
      const Value x = make(m);
      const Value last = tokens(x, x.tokens() - 1, 1);
      return std::vector{last * last, mean_over_columns(last)};
    });
  }
}

TEST_CASE("every operation agrees with each instruction set") {
  for (const auto& [name, make] : examples()) {
    CAPTURE(name);
    with_each_instruction_set([&, make = make] {
      const auto alone = [make](OperationModel& m) { return std::vector{make(m)}; };
      check_operation(alone, 2);
      check_operation(alone, 37);
    });
  }
}

TEST_CASE("random programs agree") {
  for (uint32_t seed = 0; seed < 150; ++seed) {
    CAPTURE(seed);
    check_operation(RandomProgram(seed), 1 + seed % 3);
    check_operation(RandomProgram(seed), 9 + seed % 20);
  }
}

TEST_CASE("random zeros keep the mean, and are as many as is said") {
  const auto share_of_zeros = [](const Tensor& x) {
    return x.eq(0).to(at::kFloat).mean().item<double>();
  };
  const Tensor ones = at::ones({1, 100, 40});
  const auto outputs = [&](const char* way, const OperationModel::Make& make) {
    const auto model = std::make_shared<OperationModel>(make);
    Backend backend(model, way, {1, 4, 4}, "cpu");
    const at::NoGradGuard no_grad;
    const BatchPosition position{1, 0, at::arange(400)};
    return backend.forward({at::zeros({400, 1, 4, 4}), {}, position})[0];
  };
  for (const char* way : {kLayers, kFused}) {
    CAPTURE(way);
    const Tensor dropped = outputs(way, [&](OperationModel& m) {
      return std::vector{dropout(table(ones[0]) + m.numbers(1, 1) * 0, 0.25)};
    });
    CHECK(std::abs(share_of_zeros(dropped) - 0.25) < 0.002);
    CHECK(std::abs(dropped.mean().item<double>() - 1) < 0.003);
    const Tensor skipped = outputs(way, [&](OperationModel& m) {
      return std::vector{drop_path(table(ones[0]) + m.numbers(1, 1) * 0, 0.25)};
    });
    CHECK(std::abs(share_of_zeros(skipped) - 0.25) < 0.07);
    // All of an image's numbers at once.
    CHECK(same_bits(skipped.amax(1), skipped.amin(1)));
    const Tensor attended = outputs(way, [&](OperationModel& m) {
      const Value q = m.input(5, 8), v = table(at::ones({5, 8}));
      return std::vector{attention(q, m.input(5, 8), v, 2, 0.5)};
    });
    CHECK(attended.min().item<double>() < 0.9);  // of ones the plain mean is 1
    CHECK(std::abs(attended.mean().item<double>() - 1) < 0.05);
  }
}

}  // namespace vitrine

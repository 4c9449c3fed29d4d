// Every operation there is, by the kernel and in libtorch: outputs and gradients.
#include <functional>
#include <map>
#include <set>

#include "framework/program/operation.h"
#include "tests/instruction_sets.h"
#include "tests/models/agreement.h"
#include "tests/models/operation_examples.h"

namespace vitrine {
namespace {

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
  for (const auto& [name, make] : operation_examples()) shown.insert(name);
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
  for (const auto& [name, make] : operation_examples()) {
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
  for (const auto& [name, make] : operation_examples()) {
    CAPTURE(name);
    check_operation([make = make](OperationModel& m) {
      const Value x = make(m);
      return std::vector{x, square(x) + x * 0.5};
    });
  }
}

TEST_CASE("every operation agrees, of which a token is read") {
  for (const auto& [name, make] : operation_examples()) {
    CAPTURE(name);
    check_operation([make = make](OperationModel& m) {
      const Value x = make(m);
      const Value last = tokens(x, x.tokens() - 1, 1);
      return std::vector{last * last, mean_over_columns(last)};
    });
  }
}

TEST_CASE("every operation agrees with each instruction set") {
  for (const auto& [name, make] : operation_examples()) {
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

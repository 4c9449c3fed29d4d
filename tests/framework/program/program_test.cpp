#include "framework/program/program.h"

#include <functional>
#include <set>

#include "framework/error.h"
#include "tests/catch.h"

// Programs without a model: the shapes of their operations, and what is left of what nobody needs.
namespace vitrine {
namespace {

// A program that begins with tables [tokens, columns], its first parameters.
class Writer {
 public:
  size_t table(size_t tokens, size_t columns) {
    return add("table", {}, {{tokens, columns}}, {0, static_cast<double>(tokens)});
  }
  size_t add(const std::string& operation, const std::vector<size_t>& inputs,
             const std::vector<std::vector<size_t>>& parameters = {},
             std::vector<double> numbers = {}) {
    Step step{operation, inputs, {}, std::move(numbers), {}, 0};
    for (const auto& sizes : parameters) {
      step.parameters.emplace_back();
      if (sizes.empty()) continue;
      program.parameters.push_back({"p" + std::to_string(program.parameters.size()), sizes});
      step.parameters.back().index = program.parameters.size() - 1;
    }
    return program.add(std::move(step));
  }
  Shape shape(size_t step) const { return program.steps[step].shape; }
  std::string shown(size_t step) const { return to_string(shape(step)); }

  Program program;
};

using Sizes = std::vector<std::vector<size_t>>;

// The shape that an operation gives for tables of these shapes, or its refusal.
std::string applied(const std::string& operation, const std::vector<Shape>& inputs,
                    const Sizes& parameters = {}, std::vector<double> numbers = {}) {
  Writer writer;
  std::vector<size_t> steps;
  for (const Shape& shape : inputs) steps.push_back(writer.table(shape.tokens, shape.columns));
  try {
    return writer.shown(writer.add(operation, steps, parameters, std::move(numbers)));
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kInternal);
    return error.what();
  }
}

// "linear 0, table 1": the operations with the numbers of their inputs.
std::vector<std::string> listed(const Program& program) {
  std::vector<std::string> out;
  for (const Step& step : program.steps) {
    std::string line = step.operation;
    for (const size_t input : step.inputs) line += " " + std::to_string(input);
    out.push_back(line + " -> " + to_string(step.shape));
  }
  return out;
}
using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("operations tell the shapes of their results") {
  CHECK(applied("add", {{5, 7}, {5, 7}}) == "5 x 7");
  CHECK(applied("add", {{5, 1}, {1, 7}}) == "5 x 7");
  CHECK(applied("multiply", {{1, 7}, {5, 7}}) == "5 x 7");
  CHECK(applied("linear", {{5, 7}}, {{9, 7}, {9}}) == "5 x 9");
  CHECK(applied("linear", {{5, 12}}, {{9, 3, 2, 2}, {}}) == "5 x 9");
  CHECK(applied("grouped_linear", {{5, 6}}, {{4, 3}, {4, 3}, {4}, {4}}, {2}) == "5 x 8");
  CHECK(applied("convolution", {{30, 3}}, {{4, 3, 3, 2}, {4}}, {5, 6, 3, 2, 1, 1, 0, 0}) ==
        "15 x 4");
  CHECK(applied("convolution", {{30, 3}}, {{4, 3, 3, 3}, {}}, {5, 6, 3, 3, 2, 2, 1, 1}) == "9 x 4");
  CHECK(applied("max_pool", {{30, 3}}, {}, {5, 6, 2, 2, 2, 2}) == "6 x 3");
  CHECK(applied("mean_pool", {{30, 3}}, {}, {5, 6, 5, 6, 1, 1}) == "1 x 3");
  CHECK(applied("tokens", {{5, 7}}, {}, {3, 2}) == "2 x 7");
  CHECK(applied("columns", {{5, 7}}, {}, {3, 4}) == "5 x 4");
  CHECK(applied("join_tokens", {{5, 7}, {1, 7}, {2, 7}}) == "8 x 7");
  CHECK(applied("join_columns", {{5, 7}, {5, 1}}) == "5 x 8");
  CHECK(applied("transpose", {{5, 7}}) == "7 x 5");
  CHECK(applied("flatten", {{5, 7}}) == "1 x 35");
  CHECK(applied("gather_tokens", {{5, 7}, {3, 1}}) == "3 x 7");
  CHECK(applied("pick", {{5, 7}, {5, 1}}) == "5 x 1");
  CHECK(applied("one_hot", {{5, 1}}, {}, {10}) == "5 x 10");
  CHECK(applied("layer_norm", {{5, 12}}, {{4}, {4}}, {1e-5, 3}) == "5 x 12");
  CHECK(applied("rms_norm", {{5, 12}}, {{12}}, {1e-5, 1}) == "5 x 12");
  CHECK(applied("mean_over_tokens", {{5, 7}}) == "1 x 7");
  CHECK(applied("mean_over_columns", {{5, 7}}) == "5 x 1");
  CHECK(applied("weighted_sum", {{3, 5}, {5, 7}}) == "3 x 7");
  CHECK(applied("attention", {{2, 6}, {5, 6}, {5, 6}}, {}, {3, 0, 0, 0}) == "2 x 6");
  CHECK(applied("attention_probabilities", {{2, 6}, {5, 6}}, {}, {3}) == "6 x 5");
  CHECK(applied("rotate", {{5, 12}}, {{5, 3}, {5, 3}}, {2, 0}) == "5 x 12");
  CHECK(applied("patches", {}, {}, {3, 12, 8, 4, 2}) == "8 x 36");
  CHECK(applied("table", {}, {{2, 5, 7}}, {0, 10}) == "10 x 7");
  CHECK(applied("input", {}, {}, {0, 7}) == "1 x 7");
}

TEST_CASE("operands that do not fit are refused in words") {
  CHECK(applied("add", {{5, 7}, {4, 7}}) == "add: 5 x 7 does not go with 4 x 7");
  CHECK(applied("multiply", {{5, 7}, {5, 6}}) == "multiply: 5 x 7 does not go with 5 x 6");
  CHECK(applied("linear", {{5, 7}}, {{9, 8}, {9}}) == "linear: x has 7 columns, the weight [9, 8]");
  CHECK(applied("linear", {{5, 7}}, {{9, 7}, {8}}) == "linear: a bias of 8 for 9 columns");
  CHECK(applied("grouped_linear", {{5, 7}}, {{4, 3}, {4, 3}, {4}, {4}}, {2}) ==
        "grouped_linear: x has 7 columns in 2 groups, 2 weights take 3");
  CHECK(applied("convolution", {{30, 3}}, {{4, 2, 3, 2}, {4}}, {5, 6, 3, 2, 1, 1, 0, 0}) ==
        "convolution: a weight of 12 for 3 channels");
  CHECK(applied("convolution", {{31, 3}}, {{4, 3, 3, 2}, {4}}, {5, 6, 3, 2, 1, 1, 0, 0}) ==
        "convolution: 31 tokens are no map of 5 x 6");
  CHECK(applied("convolution", {{30, 3}}, {{4, 3, 7, 2}, {4}}, {5, 6, 7, 2, 1, 1, 0, 0}) ==
        "convolution: the window does not fit into the map");
  CHECK(applied("max_pool", {{29, 3}}, {}, {5, 6, 2, 2, 2, 2}) ==
        "max_pool: 29 tokens are no map of 5 x 6");
  CHECK(applied("mean_pool", {{30, 3}}, {}, {5, 6, 2, 2, 0, 2}) ==
        "mean_pool: the window does not fit into the map");
  CHECK(applied("tokens", {{5, 7}}, {}, {3, 3}) == "tokens: 3 from 3 on, of 5");
  CHECK(applied("tokens", {{5, 7}}, {}, {3, 0}) == "tokens: 0 from 3 on, of 5");
  CHECK(applied("columns", {{5, 7}}, {}, {0, 8}) == "columns: 8 from 0 on, of 7");
  CHECK(applied("join_tokens", {{5, 7}, {1, 6}}) == "join_tokens: tokens of 7 columns and of 6");
  CHECK(applied("join_columns", {{5, 7}, {4, 7}}) == "join_columns: columns of 5 tokens and of 4");
  CHECK(applied("gather_tokens", {{5, 7}, {3, 2}}) ==
        "gather_tokens: numbers of 3 x 2, not of one column");
  CHECK(applied("pick", {{5, 7}, {4, 1}}) == "pick: numbers of 4 x 1 for 5 tokens");
  CHECK(applied("layer_norm", {{5, 12}}, {{5}, {5}}, {1e-5, 3}) ==
        "layer_norm: x has 12 columns in 3 parts, the weight 5");
  CHECK(applied("rms_norm", {{5, 12}}, {{11}}, {1e-5, 1}) ==
        "rms_norm: x has 12 columns in 1 parts, the weight 11");
  CHECK(applied("weighted_sum", {{3, 4}, {5, 7}}) ==
        "weighted_sum: shares of 4 tokens, but there are 5");
  CHECK(applied("attention", {{2, 6}, {5, 6}, {4, 6}}, {}, {3, 0, 0, 0}) ==
        "attention: q of 2 x 6, k of 5 x 6 and v of 4 x 6 with 3 heads");
  CHECK(applied("attention", {{2, 6}, {5, 6}, {5, 6}}, {}, {4, 0, 0, 0}) ==
        "attention: q of 2 x 6, k of 5 x 6 and v of 5 x 6 with 4 heads");
  CHECK(applied("attention_probabilities", {{2, 6}, {5, 7}}, {}, {3}) ==
        "attention_probabilities: q of 2 x 6 and k of 5 x 7 with 3 heads");
  CHECK(applied("rotate", {{5, 12}}, {{4, 3}, {4, 3}}, {2, 0}) ==
        "rotate: x of 5 x 12 with 2 heads, angles of 4 x 3");
  CHECK(applied("patches", {}, {}, {3, 12, 8, 5, 2}) ==
        "patches: 5 x 2 patches of an image of 12 x 8 pixels");
  CHECK(applied("table", {}, {{5, 7}}, {3, 3}) == "table: rows 3 from 3 on, of 5");
}

TEST_CASE("only products count as work, a multiplication with its addition as two") {
  const auto flops = [](const std::string& operation, const std::vector<Shape>& inputs,
                        const Sizes& parameters, std::vector<double> numbers) {
    Writer writer;
    std::vector<size_t> steps;
    for (const Shape& shape : inputs) steps.push_back(writer.table(shape.tokens, shape.columns));
    return writer.program.flops(writer.add(operation, steps, parameters, std::move(numbers)));
  };
  CHECK(flops("linear", {{5, 7}}, {{9, 7}, {9}}, {}) == 2 * 5 * 7 * 9);
  CHECK(flops("grouped_linear", {{5, 6}}, {{4, 3}, {4, 3}, {4}, {4}}, {2}) == 2 * 5 * 2 * 3 * 4);
  CHECK(flops("convolution", {{30, 3}}, {{4, 3, 3, 2}, {4}}, {5, 6, 3, 2, 1, 1, 0, 0}) ==
        2 * 15 * 4 * 3 * 3 * 2);
  CHECK(flops("attention", {{2, 6}, {5, 6}, {5, 6}}, {}, {3, 0, 0, 0}) == 4 * 2 * 5 * 6);
  CHECK(flops("add", {{5, 7}, {5, 7}}, {}, {}) == 0);
  CHECK(flops("gelu", {{5, 7}}, {}, {}) == 0);
}

TEST_CASE("operations tell the names of their numbers, each once") {
  for (const std::string& name : operation_names()) {
    CAPTURE(name);
    const auto numbers = find_operation(name).numbers();
    CHECK(std::set<std::string>(numbers.begin(), numbers.end()).size() == numbers.size());
  }
}

TEST_CASE("steps that no output needs fall away, with their names") {
  Writer w;
  const size_t x = w.table(5, 4), y = w.add("gelu", {x}), unused = w.add("tanh", {y});
  const size_t z = w.add("square", {y});
  w.program.names = {{"y", y}, {"unused", unused}};
  const Program out = pruned(w.program, {z});
  CHECK(listed(out) == Lines{"table -> 5 x 4", "gelu 0 -> 5 x 4", "square 1 -> 5 x 4"});
  CHECK(out.outputs == std::vector<size_t>{2});
  CHECK(out.names == std::map<std::string, size_t>{{"y", 1}});
}

TEST_CASE("tokens that no output needs are not computed, as far as that is exact") {
  Writer w;
  const size_t x = w.table(5, 4), a = w.add("linear", {x}, {{6, 4}, {6}}), b = w.add("gelu", {a});
  const size_t t = w.add("tokens", {b}, {}, {2, 2});
  w.program.names = {{"a", a}, {"t", t}};
  const Program out = pruned(w.program, {t});
  CHECK(listed(out) == Lines{"table -> 2 x 4", "linear 0 -> 2 x 6", "gelu 1 -> 2 x 6"});
  CHECK(out.steps[0].numbers == std::vector<double>{2, 2});
  // Half of a value is not the value.
  CHECK(out.names == std::map<std::string, size_t>{{"t", 2}});
}

TEST_CASE("two readers of other tokens share what is between them") {
  Writer w;
  const size_t x = w.table(9, 4), y = w.add("gelu", {x});
  const size_t first = w.add("tokens", {y}, {}, {1, 2}), last = w.add("tokens", {y}, {}, {5, 1});
  const Program out = pruned(w.program, {first, last});
  CHECK(listed(out) ==
        Lines{"table -> 5 x 4", "gelu 0 -> 5 x 4", "tokens 1 -> 2 x 4", "tokens 1 -> 1 x 4"});
  CHECK(out.steps[0].numbers == std::vector<double>{1, 5});
  CHECK(out.steps[2].numbers == std::vector<double>{0, 2});
  CHECK(out.steps[3].numbers == std::vector<double>{4, 1});
}

TEST_CASE("attention needs the queries of its tokens, and all keys and values") {
  Writer w;
  const size_t x = w.table(7, 6), qkv = w.add("linear", {x}, {{18, 6}, {18}});
  const auto part = [&](double first) { return w.add("columns", {qkv}, {}, {first, 6}); };
  const size_t q = part(0), k = part(6), v = part(12);
  const size_t y = w.add("attention", {q, k, v}, {}, {2, 0.5, 3, 0});
  const size_t t = w.add("tokens", {y}, {}, {4, 1});
  const Program out = pruned(w.program, {t});
  CHECK(listed(out) == Lines{"table -> 7 x 6", "tokens 0 -> 1 x 6", "linear 1 -> 1 x 6",
                             "linear 0 -> 7 x 6", "linear 0 -> 7 x 6", "attention 2 3 4 -> 1 x 6"});
  // Each part by its rows of the same parameters.
  for (size_t i = 0; i < 3; ++i) {
    const auto& uses = out.steps[2 + i].parameters;
    REQUIRE(uses.size() == 2);
    CHECK(out.parameters[uses[0].index].name == "p1");
    for (const ParameterUse& use : uses) {
      CHECK(use.first == 6 * i);
      CHECK(use.count == 6);
    }
  }
  // What is random keeps its place among all that is drawn.
  CHECK(out.steps[5].numbers == std::vector<double>{2, 0.5, 3, 4});
  // In one product where that is asked for.
  CHECK(listed(pruned(w.program, {t}, false)) ==
        Lines{"table -> 7 x 6", "linear 0 -> 7 x 18", "tokens 1 -> 1 x 18", "columns 2 -> 1 x 6",
              "columns 1 -> 7 x 6", "columns 1 -> 7 x 6", "attention 3 4 5 -> 1 x 6"});
}

TEST_CASE("a result that is read as a whole too, named or an output is computed as a whole") {
  Writer w;
  const size_t x = w.table(3, 4), y = w.add("linear", {x}, {{6, 4}, {}});
  const size_t part = w.add("columns", {y}, {}, {0, 2});
  const size_t whole = w.add("square", {y});
  const Lines apart = {"table -> 3 x 4", "linear 0 -> 3 x 2"};
  const Lines together = {"table -> 3 x 4", "linear 0 -> 3 x 6", "columns 1 -> 3 x 2"};
  CHECK(listed(pruned(w.program, {part, y})) == together);
  CHECK(listed(pruned(w.program, {part, whole})) ==
        Lines{"table -> 3 x 4", "linear 0 -> 3 x 6", "columns 1 -> 3 x 2", "square 1 -> 3 x 6"});
  Writer alone;
  const size_t x2 = alone.table(3, 4), y2 = alone.add("linear", {x2}, {{6, 4}, {}});
  const size_t part2 = alone.add("columns", {y2}, {}, {0, 2});
  CHECK(listed(pruned(alone.program, {part2})) == apart);
  alone.program.names["y"] = y2;
  CHECK(listed(pruned(alone.program, {part2})) == together);
}

TEST_CASE("of a join what is read is left") {
  Writer w;
  const size_t a = w.table(2, 4), b = w.table(3, 4), c = w.table(4, 4);
  const size_t all = w.add("join_tokens", {a, b, c});
  const auto read = [&](double first, double count) {
    Writer more = w;
    const size_t t = more.add("tokens", {all}, {}, {first, count});
    return listed(pruned(more.program, {t}));
  };
  // One of its parts: no join is left.
  CHECK(read(2, 3) == Lines{"table -> 3 x 4"});
  CHECK(read(3, 1) == Lines{"table -> 1 x 4"});
  CHECK(read(1, 3) == Lines{"table -> 1 x 4", "table -> 2 x 4", "join_tokens 0 1 -> 3 x 4"});
  CHECK(read(0, 9) ==
        Lines{"table -> 2 x 4", "table -> 3 x 4", "table -> 4 x 4", "join_tokens 0 1 2 -> 9 x 4"});
}

TEST_CASE("an output that is asked for twice is computed once") {
  Writer w;
  const size_t x = w.table(2, 4), y = w.add("gelu", {x});
  const Program out = pruned(w.program, {y, y, x});
  CHECK(listed(out) == Lines{"table -> 2 x 4", "gelu 0 -> 2 x 4"});
  CHECK(out.outputs == std::vector<size_t>{1, 1, 0});
}

TEST_CASE("what reads other tokens than it gives needs all of them") {
  for (const std::string operation : {"mean_over_tokens", "transpose", "flatten"}) {
    CAPTURE(operation);
    Writer w;
    const size_t x = w.table(5, 4), y = w.add("gelu", {x}), z = w.add(operation, {y});
    const size_t t = w.add("tokens", {z}, {}, {0, 1});
    CHECK(to_string(pruned(w.program, {t}).steps[1].shape) == "5 x 4");
  }
}

}  // namespace vitrine

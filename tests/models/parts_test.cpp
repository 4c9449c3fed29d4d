// One suite for every registered part, found in the registry: a new part is tested before its
// author writes a test.
#include "models/parts.h"

#include <set>

#include "framework/kernel/kernel.h"
#include "framework/model/recording.h"
#include "tests/models/support.h"

namespace vitrine {
namespace {

constexpr int64_t kTokens = 26, kTasks = 2, kWidth = 12, kHeads = 3;

PartContext part_context() {
  PartContext out;
  out.channels = 3;
  out.height = 16;
  out.width = 24;
  out.rows = 4;
  out.columns = 6;
  out.n_tasks = kTasks;
  out.special_tokens = kTasks;
  out.hidden_d = kWidth;
  out.n_heads = kHeads;
  return out;
}

template <class Base>
std::shared_ptr<Base> make(const std::string& name, const typename Base::Context& context) {
  Choice<Base> choice(name);
  Problems problems;
  choice.read_default(Base::kKind, problems);
  if constexpr (std::derived_from<typename Base::Context, typename Choice<Base>::CheckContext>)
    choice.check(context, problems);
  INFO(problems.text("test"));
  REQUIRE(problems.empty());
  return choice.create(context);
}

template <class Base>
std::shared_ptr<Base> make_first(const PartContext& context) {
  return make<Base>(Registry::instance().names(Base::kKind).at(0), context);
}

BlockContext block_context() {
  const PartContext part = part_context();
  return {part,
          [part] { return make_first<Norm>(part); },
          [part] { return make_first<Attention>(part); },
          [part] { return make_first<Mlp>(part); },
          1,
          3};
}

Tensor some_tokens() { return at::randn({2, kTokens, kWidth}); }

// Every part of a kind: its gradients, and its output after its parameters went by name to another
// instance. `input` is made once a part; `run` gives the output for it.
template <class Base, class Input, class Run>
void check_each(const typename Base::Context& context, Input input, Run run) {
  at::manual_seed(3);
  for (const std::string& name : Registry::instance().names(Base::kKind)) {
    CAPTURE(Base::kKind, name);
    const auto part = make<Base>(name, context);
    const Tensor x = input();
    const Tensor out = run(*part, x);
    if (out.defined() && out.requires_grad()) (out * at::randn_like(out)).sum().backward();
    for (const auto& [parameter, value] : parameters_by_name(*part)) {
      CAPTURE(parameter);
      REQUIRE(value.grad().defined());
      CHECK(value.grad().isfinite().all().template item<bool>());
    }
    const auto other = make<Base>(name, context);
    copy_by_name(parameters_by_name(*part), parameters_by_name(*other));
    part->eval();
    other->eval();
    const Tensor first = run(*part, x), second = run(*other, x);
    REQUIRE(first.defined() == second.defined());
    if (first.defined()) CHECK(same_bits(first, second));
  }
}

void check_sizes(const Tensor& x, std::vector<int64_t> sizes) { CHECK(x.sizes().vec() == sizes); }

Tensor outputs_of_part(Part& part, const Tensor& x) { return part(x).tensor(); }

// A part by itself as a program; its input is one image, or the tokens of one.
struct RecordedPart {
  Program program;
  std::vector<Tensor> parameters;
  Value output;

  std::vector<Tensor> values_of(const std::vector<size_t>& steps) const {
    const TorchFeed feed{at::zeros({1, 3, 16, 24}), {}, {}};
    return interpret(pruned(program, steps, false), parameters, feed);
  }
  size_t named(const std::string& name) const {
    REQUIRE(program.names.contains(name));
    return program.names.at(name);
  }
};
template <class Extend>
RecordedPart record_part(Part& part, const Tensor& x, const Extend& extend) {  // x [1, tokens, D]
  const at::NoGradGuard no_grad;
  Recorder recorder({{"", part.shared_from_this()}}, {3, 16, 24});
  RecordedPart out;
  out.output = part(table(x[0]));
  extend(out.output);
  out.program = std::move(recorder.program());
  out.parameters = recorder.parameters();
  return out;
}

int64_t flops_of(const Program& program) {
  double out = 0;
  for (size_t i = 0; i < program.steps.size(); ++i) out += program.flops(i);
  return static_cast<int64_t>(out);
}

// The outputs of a program for the one image that its constants stand for, by the kernel.
Tensor by_kernel(const Program& program, const std::vector<Tensor>& parameters) {
  Kernel kernel(program);
  Binding binding;
  for (const Tensor& parameter : parameters)
    binding.values.push_back(parameter.const_data_ptr<float>());
  binding.gradients.assign(parameters.size(), Binding::kFrozen);
  const Tensor image = at::zeros({1, 3, 16, 24});
  Feed feed;
  feed.values = image.const_data_ptr<float>();
  const Shape& shape = program.steps[program.outputs[0]].shape;
  const Tensor out = at::empty(
      {1, static_cast<int64_t>(shape.tokens), static_cast<int64_t>(shape.columns)}, at::kFloat);
  kernel.forward(binding, feed, 1, 1, {out.data_ptr<float>()});
  return out;
}

// Some of the tokens alone are the slice of all, for less work, however they are computed.
void check_some_tokens(Part& part, const Tensor& batch) {
  const Tensor x = batch.narrow(0, 0, 1);
  const at::NoGradGuard no_grad;
  const Tensor all = outputs_of_part(part, x);
  const std::vector<std::pair<int64_t, int64_t>> ranges = {
      {0, 1}, {0, kTasks}, {0, kTokens - 1}, {3, 4}, {kTokens - 1, 1}};
  std::vector<size_t> steps;
  const RecordedPart recorded = record_part(part, x, [&](const Value& output) {
    for (const auto& [first, count] : ranges) steps.push_back(tokens(output, first, count).step());
  });
  const int64_t whole = flops_of(pruned(recorded.program, {recorded.output.step()}));
  for (size_t i = 0; i < ranges.size(); ++i) {
    const auto [first, count] = ranges[i];
    CAPTURE(first, count);
    const Tensor wanted = all.narrow(1, first, count);
    const Tensor got = recorded.values_of({steps[i]})[0];
    check_sizes(got, {1, count, kWidth});
    CHECK(largest_difference(got, wanted) < 1e-6);
    const Program program = pruned(recorded.program, {steps[i]});
    CHECK(largest_difference(by_kernel(program, recorded.parameters), wanted) < 2e-6);
    CHECK(flops_of(program) < whole);
  }
}

void check_probabilities(const Tensor& probabilities) {
  CHECK((probabilities >= 0).all().item<bool>());
  CHECK(largest_difference(probabilities.sum(-1), at::ones_like(probabilities.sum(-1))) < 1e-6);
}

}  // namespace

TEST_CASE("every embedding gives a token for each patch") {
  check_each<Embedding>(
      part_context(),
      [] {
        return at::rand({2, 3, 16, 24});
      },
      [](Embedding& part, const Tensor& x) {
        const Tensor out = outputs_of_part(part, x);
        check_sizes(out, {2, 24, kWidth});
        return out;
      });
}

TEST_CASE("an embedding that does not overlap sees only its patch") {
  for (const std::string name : {"linear_patches", "conv_patches"}) {
    const auto part = make<Embedding>(name, part_context());
    Tensor images = at::rand({1, 3, 16, 24});
    const Tensor before = outputs_of_part(*part, images).detach().clone();
    images.slice(2, 4, 8).slice(3, 8, 12).add_(1);  // the patch in row 1, column 2
    const Tensor changed = (outputs_of_part(*part, images) - before).abs().sum(-1).nonzero();
    CHECK(at::equal(changed, at::tensor({int64_t{0}, int64_t{8}}).view({1, 2})));
  }
}

// What it adds to tokens, [N, D].
Tensor added_by(Position& part) {
  const Tensor zeros = at::zeros({1, kTokens, kWidth});
  return outputs_of_part(part, zeros)[0];
}

TEST_CASE("every position adds a row to each token, which can be asked for, or nothing") {
  check_each<Position>(part_context(), some_tokens, [](Position& part, const Tensor& x) {
    const Tensor out = outputs_of_part(part, x), added = added_by(part);
    check_sizes(out, {2, kTokens, kWidth});
    CHECK(largest_difference(out, x + added) < 1e-6);
    const RecordedPart recorded = record_part(part, x.narrow(0, 0, 1), [](const Value&) {});
    if (added.abs().max().item<float>() == 0) {
      CHECK(recorded.program.names.empty());
    } else {
      CHECK(same_bits(recorded.values_of({recorded.named("table")})[0][0], added));
    }
    return out;
  });
}

TEST_CASE("what every position makes of queries and keys keeps their size, and special tokens") {
  for (const std::string& name : Registry::instance().names(Position::kKind)) {
    CAPTURE(name);
    const auto part = make<Position>(name, part_context());
    const Tensor x = some_tokens(), turned = part->turned(x, kHeads).tensor();
    check_sizes(turned, {2, kTokens, kWidth});
    CHECK(same_bits(turned.narrow(1, 0, kTasks), x.narrow(1, 0, kTasks)));
    const auto lengths = [](const Tensor& all) {
      return all.view({2, kTokens, kHeads, -1}).square().sum(-1);
    };
    CHECK(largest_difference(lengths(turned), lengths(x)) < 1e-5);
  }
}

TEST_CASE("rope compares a query with a key by their distance in rows and in columns") {
  const auto rope = make<Position>("rope", part_context());
  CHECK(rope->parameters().empty());
  const Tensor one = at::randn({1, 1, kWidth}), other = at::randn({1, 1, kWidth});
  const auto heads_of = [&](const Tensor& x) {  // [24, heads, width], the same at every patch
    const Tensor turned = rope->turned(x.expand({1, kTokens, kWidth}), kHeads).tensor()[0];
    return turned.narrow(0, kTasks, 24).view({24, kHeads, -1});
  };
  const Tensor q = heads_of(one), k = heads_of(other);
  const auto score = [&](int64_t row, int64_t column, int64_t to_row, int64_t to_column) {
    return (q[row * 6 + column] * k[to_row * 6 + to_column]).sum(-1);  // [heads]
  };
  CHECK(largest_difference(score(0, 0, 2, 3), score(1, 2, 3, 5)) < 1e-5);
  CHECK(largest_difference(score(3, 1, 0, 4), score(3, 2, 0, 5)) < 1e-5);
  CHECK(largest_difference(score(0, 0, 2, 3), score(0, 0, 3, 2)) > 1e-3);
  CHECK(largest_difference(score(0, 0, 0, 3), score(0, 3, 0, 0)) > 1e-3);
  // The fastest turn is one radian a patch: a width of 4 has a pair for rows and one for columns.
  const double x = one[0][0][0].item<double>(), y = one[0][0][2].item<double>();
  CHECK(std::abs(q[6][0][0].item<double>() - (x * std::cos(1.0) - y * std::sin(1.0))) < 1e-6);
}

TEST_CASE("fixed positions are not parameters") {
  CHECK(make<Position>("sincos", part_context())->parameters().empty());
  const auto grid = make<Position>("sincos_2d", part_context());
  CHECK(grid->parameters().empty());
  const Tensor table = added_by(*grid);
  CHECK(table.narrow(0, 0, kTasks).abs().max().item<float>() == 0);
  const Tensor patches = table.narrow(0, kTasks, 24).view({4, 6, kWidth});
  // Half of the columns tells the row, half the column.
  CHECK(same_bits(patches.select(1, 0).narrow(1, 0, 6), patches.select(1, 5).narrow(1, 0, 6)));
  CHECK(same_bits(patches.select(0, 0).narrow(1, 6, 6), patches.select(0, 3).narrow(1, 6, 6)));
  CHECK(std::abs(patches[2][0][0].item<double>() - std::sin(2.0)) < 1e-6);
  CHECK(std::abs(patches[0][5][9].item<double>() - std::cos(5.0)) < 1e-6);
}

TEST_CASE("every norm keeps the shape, and treats each token alone") {
  check_each<Norm>(part_context(), some_tokens, [](Norm& part, const Tensor& x) {
    const Tensor out = outputs_of_part(part, x);
    check_sizes(out, {2, kTokens, kWidth});
    CHECK(same_bits(outputs_of_part(part, x.narrow(1, 5, 1)), out.narrow(1, 5, 1)));
    return out;
  });
}

// What a part tells of its attention: of each head a row for each query.
void check_attention(Part& part, const Tensor& batch, const std::string& name) {
  const RecordedPart recorded = record_part(part, batch.narrow(0, 0, 1), [](const Value&) {});
  const Tensor probabilities = recorded.values_of({recorded.named(name)})[0];
  check_sizes(probabilities, {1, kHeads * kTokens, kTokens});
  check_probabilities(probabilities);
}

TEST_CASE("every attention computes some of its queries alone, and tells its probabilities") {
  check_each<Attention>(part_context(), some_tokens, [](Attention& part, const Tensor& x) {
    check_some_tokens(part, x);
    check_attention(part, x, "probabilities");
    const Tensor out = outputs_of_part(part, x);
    check_sizes(out, {2, kTokens, kWidth});
    return out;
  });
}

TEST_CASE("every MLP treats each token alone") {
  check_each<Mlp>(part_context(), some_tokens, [](Mlp& part, const Tensor& x) {
    check_some_tokens(part, x);
    const Tensor out = outputs_of_part(part, x);
    check_sizes(out, {2, kTokens, kWidth});
    CHECK(largest_difference(outputs_of_part(part, x.narrow(1, 5, 1)), out.narrow(1, 5, 1)) < 1e-6);
    return out;
  });
}

TEST_CASE("every block computes some of its tokens alone, and tells attention's probabilities") {
  check_each<Block>(block_context(), some_tokens, [](Block& part, const Tensor& x) {
    check_some_tokens(part, x);
    check_attention(part, x, "attention.probabilities");
    const Tensor out = outputs_of_part(part, x);
    check_sizes(out, {2, kTokens, kWidth});
    return out;
  });
}

TEST_CASE("every pooling gives a token for each task, by the shares that it tells") {
  check_each<Pooling>(part_context(), some_tokens, [](Pooling& part, const Tensor& x) {
    CHECK(part.special_tokens() >= 0);
    const Tensor out = outputs_of_part(part, x);
    check_sizes(out, {2, kTasks, kWidth});
    const Tensor one = x.narrow(0, 0, 1);
    const RecordedPart recorded = record_part(part, one, [](const Value&) {});
    const Tensor shares = recorded.values_of({recorded.named("shares")})[0];
    check_sizes(shares, {1, kTasks, kTokens});
    check_probabilities(shares);
    CHECK(largest_difference(at::matmul(shares, one), out.narrow(0, 0, 1)) < 1e-6);
    return out;
  });
}

TEST_CASE("every head gives logits, or the probabilities that it promises") {
  check_each<Head>(
      HeadContext{kWidth, 5},
      [] {
        return at::randn({2, 1, kWidth});
      },
      [](Head& part, const Tensor& x) {
        const Tensor out = outputs_of_part(part, x);
        check_sizes(out, {2, 1, 5});
        if (part.gives_probabilities()) check_probabilities(out);
        return out;
      });
}

TEST_CASE("every part serves in a whole model") {
  const std::string sizes = "{type: vit, hidden_d: 12, n_heads: 3, n_blocks: 2, n_patches: [4, 6]";
  const Node resolved = resolved_model(sizes + "}");
  for (const Node& option : resolved.children) {
    const std::string& kind = option.key;
    for (const std::string& name : Registry::instance().names(kind)) {
      CAPTURE(kind, name);
      const std::string yaml = sizes + ", " + kind + ": " + name + "}";
      const auto model = make_model(yaml, images_of(3, 16, 24));
      const Tensor images = at::randint(0, 256, {2, 3, 16, 24}, at::kByte);
      const Tensor out = outputs_of(model, images).at(0);
      check_sizes(out, {2, 10});
      (out * at::randn_like(out)).sum().backward();
      int64_t parameters = 0;
      for (const auto& [parameter, value] : parameters_by_name(*model)) {
        CAPTURE(parameter);
        REQUIRE(value.grad().defined());
        CHECK(value.grad().isfinite().all().item<bool>());
        parameters += value.numel();
      }
      for (const LayerSummary& row : layers_of(*model, {3, 16, 24})) parameters -= row.parameters;
      CHECK(parameters == 0);
      check_trained_and_saved(yaml, images_of(3, 16, 24), images);
    }
  }
}

TEST_CASE("the suites of this file are for every kind of part") {
  const std::set<std::string> suites = {Embedding::kKind, Position::kKind, Norm::kKind,
                                        Attention::kKind, Mlp::kKind,      Block::kKind,
                                        Pooling::kKind,   Head::kKind};
  std::set<std::string> parts;
  for (const Node& option : resolved_model("{type: vit}").children) {
    if (!Registry::instance().names(option.key).empty()) parts.insert(option.key);
  }
  CHECK(parts == suites);
}

}  // namespace vitrine

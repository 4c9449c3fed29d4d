// One suite for every registered part, found in the registry: a new part is tested before its
// author writes a test.
#include "models/parts.h"

#include <set>

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

Tensor tokens() { return at::randn({2, kTokens, kWidth}); }

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

// The first outputs alone are the slice of all.
template <class Part>
void check_leading(Part& part, const Tensor& x) {
  const Tensor all = part.forward(x, kTokens);
  for (const int64_t n : {int64_t{1}, kTasks, kTokens - 1}) {
    const Tensor leading = part.forward(x, n);
    check_sizes(leading, {2, n, kWidth});
    CHECK(largest_difference(leading, all.narrow(1, 0, n)) < 1e-6);
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
        const Tensor out = part.forward(x);
        check_sizes(out, {2, 24, kWidth});
        return out;
      });
}

TEST_CASE("an embedding that does not overlap sees only its patch") {
  for (const std::string name : {"linear_patches", "conv_patches"}) {
    const auto part = make<Embedding>(name, part_context());
    Tensor images = at::rand({1, 3, 16, 24});
    const Tensor before = part->forward(images).detach().clone();
    images.slice(2, 4, 8).slice(3, 8, 12).add_(1);  // the patch in row 1, column 2
    const Tensor changed = (part->forward(images) - before).abs().sum(-1).nonzero();
    CHECK(at::equal(changed, at::tensor({int64_t{0}, int64_t{8}}).view({1, 2})));
  }
}

TEST_CASE("every position has a row for each token, or none") {
  check_each<Position>(
      part_context(), [] { return Tensor(); },
      [](Position& part, const Tensor&) {
        const Tensor table = part.table(at::kCPU);
        if (table.defined()) check_sizes(table, {kTokens, kWidth});
        return table;
      });
}

TEST_CASE("fixed positions are not parameters") {
  CHECK(make<Position>("sincos", part_context())->parameters().empty());
  const auto grid = make<Position>("sincos_2d", part_context());
  CHECK(grid->parameters().empty());
  const Tensor table = grid->table(at::kCPU);
  CHECK(table.narrow(0, 0, kTasks).abs().max().item<float>() == 0);
  const Tensor patches = table.narrow(0, kTasks, 24).view({4, 6, kWidth});
  // Half of the columns tells the row, half the column.
  CHECK(same_bits(patches.select(1, 0).narrow(1, 0, 6), patches.select(1, 5).narrow(1, 0, 6)));
  CHECK(same_bits(patches.select(0, 0).narrow(1, 6, 6), patches.select(0, 3).narrow(1, 6, 6)));
  CHECK(std::abs(patches[2][0][0].item<double>() - std::sin(2.0)) < 1e-6);
  CHECK(std::abs(patches[0][5][9].item<double>() - std::cos(5.0)) < 1e-6);
}

TEST_CASE("every norm keeps the shape") {
  check_each<Norm>(part_context(), tokens, [](Norm& part, const Tensor& x) {
    const Tensor out = part.forward(x);
    check_sizes(out, {2, kTokens, kWidth});
    return out;
  });
}

TEST_CASE("every attention computes the leading queries alone, and probabilities") {
  check_each<Attention>(part_context(), tokens, [](Attention& part, const Tensor& x) {
    check_leading(part, x);
    const Tensor probabilities = part.probabilities(x);
    check_sizes(probabilities, {2, kHeads, kTokens, kTokens});
    check_probabilities(probabilities);
    return part.forward(x, kTokens);
  });
}

TEST_CASE("every MLP treats each token alone") {
  check_each<Mlp>(part_context(), tokens, [](Mlp& part, const Tensor& x) {
    const Tensor out = part.forward(x);
    check_sizes(out, {2, kTokens, kWidth});
    CHECK(largest_difference(part.forward(x.narrow(1, 5, 1)), out.narrow(1, 5, 1)) < 1e-6);
    return out;
  });
}

TEST_CASE("every block computes the leading tokens alone, and attention's probabilities") {
  check_each<Block>(block_context(), tokens, [](Block& part, const Tensor& x) {
    check_leading(part, x);
    const Tensor probabilities = part.attention_probabilities(x);
    check_sizes(probabilities, {2, kHeads, kTokens, kTokens});
    check_probabilities(probabilities);
    return part.forward(x, kTokens);
  });
}

TEST_CASE("every pooling gives a token for each task from what it says that it needs") {
  check_each<Pooling>(part_context(), tokens, [](Pooling& part, const Tensor& x) {
    const int64_t needed = part.needed_tokens(kTokens);
    CHECK(part.special_tokens() >= 0);
    REQUIRE((needed >= 1 && needed <= kTokens));
    const Tensor out = part.forward(x.narrow(1, 0, needed));
    check_sizes(out, {2, kTasks, kWidth});
    return out;
  });
}

TEST_CASE("every head gives logits, or the probabilities that it promises") {
  check_each<Head>(
      HeadContext{kWidth, 5},
      [] {
        return at::randn({2, kWidth});
      },
      [](Head& part, const Tensor& x) {
        const Tensor out = part.forward(x);
        check_sizes(out, {2, 5});
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
      const Tensor out = model->forward(images).at(0);
      check_sizes(out, {2, 10});
      (out * at::randn_like(out)).sum().backward();
      int64_t parameters = 0;
      for (const auto& [parameter, value] : parameters_by_name(*model)) {
        CAPTURE(parameter);
        REQUIRE(value.grad().defined());
        CHECK(value.grad().isfinite().all().item<bool>());
        parameters += value.numel();
      }
      for (const LayerSummary& row : model->layers(images.slice(0, 0, 1))) {
        parameters -= row.parameters;
      }
      CHECK(parameters == 0);
      check_trained_and_saved(yaml, images_of(3, 16, 24), images);
    }
  }
}

TEST_CASE("the suites of this file are for every kind of part") {
  const std::set<std::string> suites = {Embedding::kKind, Position::kKind, Norm::kKind,
                                        Attention::kKind, Mlp::kKind,      Block::kKind,
                                        Pooling::kKind,   Head::kKind,     Encoder::kKind};
  std::set<std::string> parts;
  for (const Node& option : resolved_model("{type: vit}").children) {
    if (!Registry::instance().names(option.key).empty()) parts.insert(option.key);
  }
  CHECK(parts == suites);
}

TEST_CASE("every encoder computes what layers computes") {
  const ModelContext images = images_of(1, 28, 28);
  for (const std::string& name : Registry::instance().names(Encoder::kKind)) {
    CAPTURE(name);
    const std::string tutorial =
        std::string(kTutorial).substr(0, std::string(kTutorial).size() - 1);
    const auto layers = make_model(tutorial + ", encoder: layers}", images);
    const auto other = make_model(tutorial + ", encoder: " + name + "}", images);
    copy_by_name(parameters_by_name(*layers), parameters_by_name(*other));
    const Tensor x = at::randint(0, 256, {5, 1, 28, 28}, at::kByte);
    CHECK(largest_difference(layers->forward(x).at(0), other->forward(x).at(0)) < 1e-5);
  }
}

}  // namespace vitrine

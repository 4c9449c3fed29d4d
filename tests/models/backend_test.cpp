// The two ways to execute a model, over the same weights: every registered component, without a
// list.
#include "framework/training/backend.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <random>

#include "framework/registry/registry.h"
#include "framework/training/threads.h"
#include "tests/instruction_sets.h"
#include "tests/models/agreement.h"
#include "tests/models/random_model.h"

namespace vitrine {
namespace {

const Registry& registry() { return Registry::instance(); }

// Checks a random composition that has this part.
void check_random(const std::string& type, const std::string& kind, const std::string& name,
                  std::mt19937& generator) {
  RandomModel made(type, generator);
  made.compose(kind, name);
  const ModelContext& images = made.images();
  INFO(made.yaml() << " on " << images.channels << " x " << images.height << " x " << images.width);
  const Pair pair = make_pair_of(made.yaml(), images);
  const bool is_float = generator() % 3 == 0;
  // Few images and many: they may lie in different ways.
  for (const auto& [least, most] : {std::pair(1, 4), std::pair(9, 40)}) {
    const int64_t batch = std::uniform_int_distribution<int64_t>(least, most)(generator);
    CAPTURE(batch);
    check_both_modes(pair, [&] {
      const Tensor bytes = bytes_for(images, batch);
      return is_float ? bytes.to(at::kFloat) / 100 - 1 : bytes;
    });
  }
}

void check_model(const std::string& yaml, const ModelContext& images,
                 const std::vector<int64_t>& batches = {3, 21}) {
  INFO(yaml << " on " << images.channels << " x " << images.height << " x " << images.width);
  const Pair pair = make_pair_of(yaml, images);
  for (const int64_t batch : batches) {
    CAPTURE(batch);
    check_both_modes(pair, [&] { return bytes_for(images, batch); });
  }
}

// Restores the number of threads.
class Threads {
 public:
  ~Threads() { set_compute_threads(before_); }
  void set(int count) {
    set_compute_threads(count);
    at::set_num_threads(1);
  }

 private:
  int before_ = compute_threads();
};

// All that is random at once, and operations of every sort.
constexpr const char* kRandom =
    "{type: vit, n_patches: 7, n_blocks: 2, hidden_d: 12, n_heads: 3, n_registers: 1, mlp: {type: "
    "swiglu, dropout: 0.2}, norm: rms, position: rope, attention: {type: multi_head, qk_norm: "
    "true, "
    "dropout: 0.3}, block: {type: pre_norm, layer_scale: 0.5, drop_path: 0.4, dropout: 0.2}, "
    "pooling: attention}";

}  // namespace

TEST_CASE("the tutorial's model agrees") { check_model(kTutorial, images_of(1, 28, 28)); }

TEST_CASE("every model agrees over random compositions of every part there is, and shapes") {
  std::mt19937 generator(7);
  for (const std::string& type : registry().names(Model::kKind)) {
    check_random(type, "", "", generator);
    for (const Node& option : resolved_model("{type: " + type + "}").children) {
      for (const std::string& name : registry().names(option.key)) {
        for (int i = 0; i < 3; ++i) check_random(type, option.key, name, generator);
      }
    }
  }
}

TEST_CASE("every model agrees with its defaults") {
  for (const std::string& type : registry().names(Model::kKind))
    check_model("{type: " + type + "}", images_of(1, 28, 28));
}

TEST_CASE("wide models agree") {
  for (const int64_t d : {64, 192}) {
    check_model(
        fmt::format("{{type: vit, n_patches: 7, n_blocks: 2, hidden_d: {}, n_heads: 4}}", d),
        images_of(1, 28, 28), {2, 20});
  }
  check_model("{type: mixer, n_patches: 7, hidden_d: 96, n_blocks: 2}", images_of(1, 28, 28),
              {2, 20});
}

TEST_CASE("one image agrees, and as many as fill no vector") {
  check_model(kRandom, images_of(1, 28, 28), {1, 2, 7, 8, 9, 15, 16, 17, 33});
}

TEST_CASE("every instruction set of this processor agrees") {
  const ModelContext images = images_of(1, 28, 28);
  for (const char* model :
       {kTutorial, kRandom, "{type: mixer, hidden_d: 12, n_blocks: 1}", "{type: lenet}"}) {
    CAPTURE(model);
    const Pair pair = make_pair_of(model, images);
    for (const int64_t batch : {2, 37}) {
      const Tensor x = bytes_for(images, batch);
      const Results wanted = run_layers(pair, x);
      with_each_instruction_set([&] {
        // What is worked out for one set is none of another's business.
        Backend fused(pair.model, kFused, {1, 28, 28}, "cpu");
        check_agreement(run(*pair.model, fused, x), wanted);
      });
    }
  }
}

TEST_CASE("bits do not depend on the number of threads") {
  Threads threads;
  const ModelContext images = images_of(1, 28, 28);
  for (const char* model :
       {kTutorial, kRandom, "{type: vit, n_patches: 4, n_blocks: 1, hidden_d: 64, n_heads: 4}",
        "{type: lenet}", "{type: mixer, hidden_d: 16, n_blocks: 2}"}) {
    CAPTURE(model);
    const Pair pair = make_pair_of(model, images);
    CHECK(pair.fused->has_own_threads());
    CHECK_FALSE(pair.layers->has_own_threads());
    for (const int64_t batch : {2, 5, 128, 700}) {
      CAPTURE(batch);
      const Tensor x = bytes_for(images, batch);
      threads.set(1);
      const Results alone = run_fused(pair, x);
      for (const int count : {2, 3, 7}) {
        CAPTURE(count);
        threads.set(count);
        check_equal_bits(run_fused(pair, x), alone);
      }
    }
  }
}

TEST_CASE("what an image is random by is its number, not its place in the batch") {
  const ModelContext images = images_of(1, 28, 28);
  const Pair pair = make_pair_of(kRandom, images);
  const at::NoGradGuard no_grad;
  const Tensor x = bytes_for(images, 21), numbers = at::arange(100, 121);
  const Tensor order = at::randperm(21);
  for (Backend* backend : {pair.layers.get(), pair.fused.get()}) {
    CAPTURE(backend->way());
    const auto outputs = [&](const Tensor& of, uint64_t seed, int64_t epoch, const Tensor& by) {
      const BatchPosition position{seed, epoch, by};
      return backend->forward({of, {}, position})[0];
    };
    const Tensor first = outputs(x, 5, 2, numbers);
    CHECK(same_bits(outputs(x, 5, 2, numbers), first));
    CHECK(difference(outputs(x.index_select(0, order), 5, 2, numbers.index_select(0, order)),
                     first.index_select(0, order)) < 1e-5);
    CHECK(difference(outputs(x, 5, 3, numbers), first) > 1e-3);
    CHECK(difference(outputs(x, 6, 2, numbers), first) > 1e-3);
    CHECK(difference(outputs(x, 5, 2, numbers + 1), first) > 1e-3);
  }
}

TEST_CASE("gradients add up, and several batches may wait for backward") {
  const ModelContext images = images_of(1, 28, 28);
  for (const char* model : {kTutorial, kRandom}) {
    CAPTURE(model);
    const Pair pair = make_pair_of(model, images);
    const Tensor first = bytes_for(images, 20), second = bytes_for(images, 33);
    auto sums = run_layers(pair, first).gradients;
    for (auto& [name, gradient] : run_layers(pair, second).gradients) sums[name] += gradient;

    for (auto& parameter : pair.model->parameters()) parameter.mutable_grad() = Tensor();
    const BatchPosition of_first{5, 2, at::arange(100, 120)}, of_second{5, 2, at::arange(100, 133)};
    const Tensor one = pair.fused->forward({first, {}, of_first})[0];
    const Tensor two = pair.fused->forward({second, {}, of_second})[0];
    const auto weights = [](const Tensor& like) {
      at::manual_seed(3);
      return at::randn(like.sizes());
    };
    (one * weights(one)).sum().backward();
    (two * weights(two)).sum().backward();
    std::map<std::string, Tensor> got;
    for (const auto& [name, parameter] : parameters_by_name(*pair.model))
      got[name] = parameter.grad();
    check_gradients(got, sums);
  }
}

TEST_CASE("frozen parameters have no gradient, and the others theirs") {
  const ModelContext images = images_of(1, 28, 28);
  const Pair pair = make_pair_of(kTutorial, images);
  for (const auto& item : pair.model->named_parameters()) {
    if (item.key().starts_with("blocks.0.") || item.key().starts_with("embedding."))
      Tensor(item.value()).set_requires_grad(false);
  }
  const Tensor x = bytes_for(images, 20);
  check_agreement(run_fused(pair, x), run_layers(pair, x));
  run_fused(pair, x);
  for (const auto& item : pair.model->named_parameters()) {
    CAPTURE(item.key());
    CHECK(item.value().grad().defined() == item.value().requires_grad());
  }
  // All of them again: what was frozen is a matter of each call.
  for (auto& parameter : pair.model->parameters()) parameter.set_requires_grad(true);
  check_agreement(run_fused(pair, x), run_layers(pair, x));
}

TEST_CASE("a model of which nothing is trained gives its outputs") {
  const ModelContext images = images_of(1, 28, 28);
  const Pair pair = make_pair_of(kTutorial, images);
  for (auto& parameter : pair.model->parameters()) parameter.set_requires_grad(false);
  const Tensor x = bytes_for(images, 9);
  const Results got = run_fused(pair, x);
  check_agreement(got, run_layers(pair, x));
  CHECK_FALSE(got.outputs[0].requires_grad());
}

TEST_CASE("weights that changed are taken, wherever they lie") {
  const ModelContext images = images_of(1, 28, 28);
  const Pair pair = make_pair_of(kTutorial, images);
  const Tensor x = bytes_for(images, 9);
  const at::NoGradGuard no_grad;
  const Tensor before = pair.fused->forward({x, {}, {}})[0];
  for (auto& parameter : pair.model->parameters()) parameter.add_(0.1);
  CHECK(difference(pair.fused->forward({x, {}, {}})[0], before) > 1e-3);
  check_outputs(pair.fused->forward({x, {}, {}}), pair.layers->forward({x, {}, {}}));
  FlatParameters moved(*pair.model);
  moved.values().add_(0.1);
  check_outputs(pair.fused->forward({x, {}, {}}), pair.layers->forward({x, {}, {}}));
}

TEST_CASE("a batch of no images has outputs of no images") {
  const ModelContext images = images_of(1, 28, 28);
  const Pair pair = make_pair_of(
      "{type: vit, hidden_d: 8, n_heads: 2, tasks: [{name: a}, {name: b, target: {above: 4}}]}",
      images);
  const Tensor none = bytes_for(images, 0);
  for (const bool training : {true, false}) {
    CAPTURE(training);
    pair.model->train(training);
    for (Backend* backend : {pair.layers.get(), pair.fused.get()}) {
      CAPTURE(backend->way());
      const at::NoGradGuard no_grad;
      const auto outputs = backend->forward({none, {}, {}});
      REQUIRE(outputs.size() == 2);
      CHECK(outputs[0].sizes() == at::IntArrayRef({0, 10}));
      CHECK(outputs[1].sizes() == at::IntArrayRef({0, 2}));
    }
  }
  pair.model->train();
  check_agreement(run_fused(pair, none), run_layers(pair, none));
}

TEST_CASE("images that do not lie in order are taken as they are seen") {
  const ModelContext images = images_of(3, 16, 12);
  const Pair pair = make_pair_of("{type: vit, n_patches: 2, hidden_d: 8, n_heads: 2}", images);
  const Tensor turned = at::randint(0, 256, {9, 16, 12, 3}, at::kByte).permute({0, 3, 1, 2});
  check_both_modes(pair, [&] { return turned; });
  check_both_modes(pair, [&] { return bytes_for(images, 30).slice(0, 0, 30, 3); });
}

TEST_CASE("a model without a position for its batch draws from libtorch's generator") {
  const ModelContext images = images_of(1, 28, 28);
  const Pair pair = make_pair_of(kRandom, images);
  const Tensor x = bytes_for(images, 9);
  const at::NoGradGuard no_grad;
  for (Backend* backend : {pair.layers.get(), pair.fused.get()}) {
    CAPTURE(backend->way());
    at::manual_seed(11);
    const Tensor first = backend->forward({x, {}, {}})[0],
                 second = backend->forward({x, {}, {}})[0];
    CHECK(difference(first, second) > 1e-3);
    at::manual_seed(11);
    CHECK(same_bits(backend->forward({x, {}, {}})[0], first));
  }
}

}  // namespace vitrine

// Losses, and their gradients by all parameters at once: by the kernel, and by libtorch's autograd.
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "framework/registry/registry.h"
#include "framework/training/loss.h"
#include "framework/training/threads.h"
#include "models/parts.h"
#include "tests/component.h"
#include "tests/models/agreement.h"

namespace vitrine {
namespace {

const ModelContext kImages = images_of(1, 12, 12);

// Models whose tasks have weights, targets and heads of their own.
std::vector<std::string> models() {
  std::vector<std::string> out = {
      "{type: vit, n_patches: 3, hidden_d: 8, n_heads: 2, n_blocks: 1, tasks: [{name: a, weight: "
      "0.25}, {name: b, weight: 3, target: {above: 4}}]}"};
  for (const std::string& head : Registry::instance().names(Head::kKind)) {
    out.push_back(
        "{type: vit, n_patches: 3, hidden_d: 8, n_heads: 2, n_blocks: 1, block: {type: "
        "pre_norm, dropout: 0.3}, head: " +
        head + "}");
  }
  return out;
}

// A loss with its defaults, and with each of its options changed.
std::vector<std::string> forms_of(const std::string& loss, const LossContext& context) {
  std::vector<std::string> out = {loss};
  Choice<Loss> choice(loss);
  Problems problems;
  choice.read_default(Loss::kKind, problems);
  for (const Node& option : choice.write().children) {
    for (const char* value : {"0.25", "3", "true", "false"}) {
      const std::string form = fmt::format("{{type: {}, {}: {}}}", loss, option.key, value);
      if (option.key != "type" && problems_of<Loss>(form, context).empty()) out.push_back(form);
    }
  }
  return out;
}

Batch batch_of(int64_t size) {
  Batch out;
  out.images = bytes_for(kImages, size);
  out.labels = at::randint(0, 10, {size}, at::kLong);
  out.position = {5, 2, at::arange(100, 100 + size)};
  return out;
}

struct Learned {
  std::shared_ptr<Model> model;
  FlatParameters parameters;
  Backend layers, fused;

  explicit Learned(const std::string& yaml)
      : model((at::manual_seed(1), make_model(yaml, kImages))),
        parameters(*model),
        layers(model, kLayers, {1, 12, 12}, "cpu"),
        fused(model, kFused, {1, 12, 12}, "cpu") {}

  Objective objective(const std::shared_ptr<Loss>& loss) const {
    return {model->tasks(), loss, {}, at::kCPU};
  }
  Objective objective(const std::string& loss) const {
    return objective(make<Loss>(loss, {model->tasks()}));
  }
};

// The sums of losses agree, and what is counted is the same.
void check_result(const Objective::Result& got, const Objective::Result& wanted) {
  REQUIRE(got.sums.sizes() == wanted.sums.sizes());
  CHECK(difference(got.sums, wanted.sums) <= kTolerance * largest(wanted.sums));
  // Of each task its loss, then how many of its answers are right.
  for (int64_t i = 2; i < wanted.sums.size(0); i += 2)
    CHECK(got.sums[i].item<double>() == wanted.sums[i].item<double>());
}

// The result, and the flat gradients.
std::pair<Objective::Result, Tensor> differentiate(Learned& learned, Backend& backend,
                                                   const Batch& batch, const Objective& objective,
                                                   double share) {
  learned.parameters.gradients().zero_();
  const auto result = backend.differentiate(batch, objective, share, learned.parameters);
  return {result, learned.parameters.gradients().clone()};
}

void check_loss(Learned& learned, const Objective& objective, int64_t size, double share) {
  CAPTURE(size, share);
  const Batch batch = batch_of(size);
  const auto [wanted, gradients] = differentiate(learned, learned.layers, batch, objective, share);
  const auto [got, ours] = differentiate(learned, learned.fused, batch, objective, share);
  check_result(got, wanted);
  CHECK(difference(ours, gradients) <= kTolerance * largest(gradients));
  CHECK(largest(gradients) > 0);

  learned.model->eval();
  const at::NoGradGuard no_grad;
  const auto of_layers = learned.layers.evaluate(batch, objective);
  const auto of_fused = learned.fused.evaluate(batch, objective);
  check_outputs(of_fused.outputs, of_layers.outputs);
  check_result(of_fused.result, of_layers.result);
  learned.model->train();
}

// Computes with libtorch itself, so that it is not recorded.
class OpaqueLoss : public Loss {
 public:
  Value forward(const Value& output, const Value& target, const Task&) override {
    const Tensor wanted = target.tensor().to(at::kLong).view({-1});
    return at::cross_entropy_loss(output.tensor().squeeze(1), wanted, {}, at::Reduction::None)
        .view({-1, 1, 1});
  }
};

}  // namespace

TEST_CASE("every loss agrees with libtorch's autograd over all parameters") {
  for (const std::string& yaml : models()) {
    Learned learned(yaml);
    for (const std::string& name : Registry::instance().names(Loss::kKind)) {
      for (const std::string& form : forms_of(name, {learned.model->tasks()})) {
        CAPTURE(yaml, form);
        const Objective objective = learned.objective(form);
        check_loss(learned, objective, 21, 1);
        check_loss(learned, objective, 7, 0.375);
      }
    }
  }
}

TEST_CASE("a loss that computes with libtorch itself ends a model that is recorded") {
  for (const std::string& yaml : models()) {
    CAPTURE(yaml);
    Learned learned(yaml);
    const Objective objective = learned.objective(std::make_shared<OpaqueLoss>());
    const Recording recording = record(*learned.model, {1, 12, 12}, &objective.loss());
    CHECK(recording.is_recorded());
    CHECK_THAT(recording.loss_refusal, Contains("losses_test.cpp:"));
    CHECK(recording.losses.empty());
    check_loss(learned, objective, 21, 1);
    check_loss(learned, objective, 7, 0.375);
    const Batch batch = batch_of(9);
    const Objective recorded = learned.objective("cross_entropy");
    check_result(learned.fused.differentiate(batch, objective, 1, learned.parameters),
                 learned.layers.differentiate(batch, recorded, 1, learned.parameters));
  }
}

TEST_CASE("gradients are added to those that are there") {
  Learned learned(models()[0]);
  const Objective objective = learned.objective("cross_entropy");
  const Batch first = batch_of(20), second = batch_of(33);
  const Tensor one = differentiate(learned, learned.fused, first, objective, 0.4).second;
  const Tensor two = differentiate(learned, learned.fused, second, objective, 0.6).second;
  learned.parameters.gradients().zero_();
  learned.fused.differentiate(first, objective, 0.4, learned.parameters);
  learned.fused.differentiate(second, objective, 0.6, learned.parameters);
  CHECK(difference(learned.parameters.gradients(), one + two) < 1e-6);
}

TEST_CASE("losses and gradients have the same bits for any number of threads") {
  const int before = compute_threads();
  for (const std::string& yaml : models()) {
    Learned learned(yaml);
    const Objective objective = learned.objective("cross_entropy");
    for (const int64_t size : {5, 128, 700}) {
      CAPTURE(yaml, size);
      const Batch batch = batch_of(size);
      set_compute_threads(1);
      at::set_num_threads(1);
      const auto [wanted, gradients] = differentiate(learned, learned.fused, batch, objective, 1);
      for (const int threads : {2, 3, 7}) {
        CAPTURE(threads);
        set_compute_threads(threads);
        at::set_num_threads(1);
        const auto [got, ours] = differentiate(learned, learned.fused, batch, objective, 1);
        CHECK(at::equal(got.sums, wanted.sums));
        CHECK(same_bits(ours, gradients));
      }
    }
  }
  set_compute_threads(before);
}

TEST_CASE("frozen parameters stand in no flat tensor and get no gradient") {
  Learned whole(models()[0]);
  for (const auto& item : whole.model->named_parameters()) {
    if (item.key().starts_with("blocks.0.attention."))
      Tensor(item.value()).set_requires_grad(false);
  }
  FlatParameters parameters(*whole.model);
  const Objective objective = whole.objective("cross_entropy");
  const Batch batch = batch_of(21);
  std::vector<Tensor> gradients;
  for (Backend* backend : {&whole.layers, &whole.fused}) {
    parameters.gradients().zero_();
    backend->differentiate(batch, objective, 1, parameters);
    gradients.push_back(parameters.gradients().clone());
  }
  CHECK(parameters.values().numel() < whole.parameters.values().numel());
  CHECK(difference(gradients[1], gradients[0]) <= kTolerance * largest(gradients[0]));
}

}  // namespace vitrine

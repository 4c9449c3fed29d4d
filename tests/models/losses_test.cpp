// Losses, and their gradients by all parameters at once: by the kernel, and by libtorch's autograd.
#include "framework/training/losses.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <cmath>
#include <set>

#include "framework/model/loss.h"
#include "framework/registry/registry.h"
#include "framework/training/threads.h"
#include "models/parts.h"
#include "tests/component.h"
#include "tests/models/agreement.h"

namespace vitrine {
namespace {

// With a column of labels of each kind; the last one's are shares of ten classes.
ModelContext images_with_columns() {
  using Kind = LabelColumn::Kind;
  ModelContext out = images_of(1, 12, 12);
  const std::vector<std::string> digits = out.columns[0].names;
  out.columns.push_back({"parts", Kind::kLabels, {"a", "b", "c"}});
  out.columns.push_back({"box", Kind::kValues, {"w", "h"}});
  out.columns.push_back({"soft", Kind::kValues, digits});
  return out;
}

const ModelContext kImages = images_with_columns();

// Models with tasks of other types than the number of a class.
std::vector<std::string> models_of_other_tasks() {
  std::vector<std::string> out;
  for (const char* tasks :
       {"[{name: p, column: parts}]", "[{name: s, column: soft, type: classification, weight: 2}]",
        "[{name: b, column: box, weight: 0.5}, {name: n, type: regression}]",
        "[{name: t, target: {above: 4}}]",
        "[{name: d}, {name: p, column: parts, weight: 2}, {name: n, type: regression, loss: "
        "huber}]"})
    out.push_back(fmt::format(
        "{{type: vit, n_patches: 3, hidden_d: 8, n_heads: 2, n_blocks: 1, tasks: {}}}", tasks));
  return out;
}

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
    std::vector<std::string> values = {"0.25", "3", "true", "false"};
    std::string list;  // a number for each output
    for (int64_t i = 1; i <= context.tasks[0].outputs(); ++i) list += fmt::format(" {},", i);
    values.push_back("[" + list + "]");
    for (const std::string& value : values) {
      const std::string form = fmt::format("{{type: {}, {}: {}}}", loss, option.key, value);
      if (option.key != "type" && problems_of<Loss>(form, context).empty()) out.push_back(form);
    }
  }
  return out;
}

Batch batch_of(int64_t size) {
  Batch out;
  out.images = bytes_for(kImages, size);
  out.count = size;
  out.labels = {at::randint(0, 10, {size}, at::kLong), at::randint(0, 2, {size, 3}, at::kFloat),
                at::randn({size, 2}), at::softmax(at::randn({size, 10}), 1)};
  out.position = {5, 2, at::arange(100, 100 + size)};
  return out;
}

Choice<Loss> choice_of(const std::string& name) {
  Choice<Loss> out(name);
  Problems problems;
  out.read_default(Loss::kKind, problems);
  return out;
}

// Those that suit all of these tasks.
std::vector<std::string> losses_for(const std::vector<Task>& tasks) {
  std::vector<std::string> out;
  for (const std::string& name : Registry::instance().names(Loss::kKind)) {
    const bool fits = std::all_of(tasks.begin(), tasks.end(),
                                  [&](const Task& task) { return suits(choice_of(name), task); });
    if (fits && problems_of<Loss>(name, {tasks}).empty()) out.push_back(name);
  }
  return out;
}

struct Learned {
  std::shared_ptr<Model> model;
  FlatParameters parameters;

  explicit Learned(const std::string& yaml)
      : model((at::manual_seed(1), make_model(yaml, kImages))), parameters(*model) {}

  Objective objective(const std::shared_ptr<Loss>& loss) const {
    return {model->tasks(), loss, {}, at::kCPU};
  }
  Objective objective(const std::string& loss) const {
    return objective(make<Loss>(loss, {model->tasks()}));
  }
  Computation computation(const Objective& objective) const {
    return computation_of(model, objective, {1, 12, 12});
  }
  Backend backend(const char* way, const Objective& objective) const {
    return {computation(objective), way, "cpu"};
  }
};

TorchFeed feed_of(const Batch& batch, const Objective& objective) {
  return {batch.images, objective.targets(batch.labels), batch.position};
}
Tensor sums_of(const Backend::Outcome& outcome, const Batch& batch, const Objective& objective) {
  return objective.sums(outcome.outputs, outcome.losses, objective.targets(batch.labels));
}

// The sums agree, and what is counted is the same.
void check_sums(const Tensor& got, const Tensor& wanted, const Objective& objective) {
  REQUIRE(got.sizes() == wanted.sizes());
  CHECK(difference(got, wanted) <= kTolerance * largest(wanted));
  for (const Measure& measure : objective.measures()) {
    const auto value = [&](const Tensor& sums) {
      return measure.value(sums.const_data_ptr<double>(), 1);
    };
    if (measure.info.unit == "fraction") CHECK(value(got) == value(wanted));
    if (measure.is_loss) CHECK(std::isfinite(value(got)));
  }
}

// The sums, and the flat gradients.
std::pair<Tensor, Tensor> differentiate(Learned& learned, Backend& backend, const Batch& batch,
                                        const Objective& objective, double share) {
  learned.parameters.gradients().zero_();
  const auto outcome = backend.differentiate(feed_of(batch, objective), share, learned.parameters);
  return {sums_of(outcome, batch, objective), learned.parameters.gradients().clone()};
}

void check_loss(Learned& learned, const Objective& objective, int64_t size, double share) {
  CAPTURE(size, share);
  Backend layers = learned.backend(kLayers, objective), fused = learned.backend(kFused, objective);
  const Batch batch = batch_of(size);
  const auto [wanted, gradients] = differentiate(learned, layers, batch, objective, share);
  const auto [got, ours] = differentiate(learned, fused, batch, objective, share);
  check_sums(got, wanted, objective);
  CHECK(difference(ours, gradients) <= kTolerance * largest(gradients));
  CHECK(largest(gradients) > 0);

  learned.model->eval();
  const at::NoGradGuard no_grad;
  const auto of_layers = layers.evaluate(feed_of(batch, objective));
  const auto of_fused = fused.evaluate(feed_of(batch, objective));
  check_outputs(of_fused.outputs, of_layers.outputs);
  check_sums(sums_of(of_fused, batch, objective), sums_of(of_layers, batch, objective), objective);
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
  std::vector<std::string> all = models();
  for (const std::string& yaml : models_of_other_tasks()) all.push_back(yaml);
  std::set<std::string> seen;
  for (const std::string& yaml : all) {
    Learned learned(yaml);
    for (const std::string& name : losses_for(learned.model->tasks())) {
      seen.insert(name);
      for (const std::string& form : forms_of(name, {learned.model->tasks()})) {
        CAPTURE(yaml, form);
        const Objective objective = learned.objective(form);
        check_loss(learned, objective, 21, 1);
        check_loss(learned, objective, 7, 0.375);
      }
    }
  }
  CHECK(seen.size() == Registry::instance().names(Loss::kKind).size());
}

TEST_CASE("tasks of several types each have the loss that suits them, in one computation") {
  Learned learned(models_of_other_tasks().back());
  const auto& tasks = learned.model->tasks();
  const Objective objective = learned.objective(make_losses(choice_of("cross_entropy"), tasks));
  CHECK(objective.loss().of(tasks[2]).unit() == "");
  const Recording recording = record(learned.computation(objective));
  CHECK(recording.losses.size() == 3);
  check_loss(learned, objective, 21, 1);
  check_loss(learned, objective, 7, 0.375);
}

TEST_CASE("a loss that computes with libtorch itself ends a model that is recorded") {
  for (const std::string& yaml : models()) {
    CAPTURE(yaml);
    Learned learned(yaml);
    const Objective objective = learned.objective(std::make_shared<OpaqueLoss>());
    const Recording recording = record(learned.computation(objective));
    CHECK(recording.is_recorded());
    CHECK_THAT(recording.loss_refusal, Contains("losses_test.cpp:"));
    CHECK(recording.losses.empty());
    check_loss(learned, objective, 21, 1);
    check_loss(learned, objective, 7, 0.375);
    const Batch batch = batch_of(9);
    const Objective recorded = learned.objective("cross_entropy");
    Backend opaque = learned.backend(kFused, objective),
            layers = learned.backend(kLayers, recorded);
    check_sums(differentiate(learned, opaque, batch, objective, 1).first,
               differentiate(learned, layers, batch, recorded, 1).first, objective);
  }
}

TEST_CASE("gradients are added to those that are there") {
  Learned learned(models()[0]);
  const Objective objective = learned.objective("cross_entropy");
  const Batch first = batch_of(20), second = batch_of(33);
  Backend fused = learned.backend(kFused, objective);
  const Tensor one = differentiate(learned, fused, first, objective, 0.4).second;
  const Tensor two = differentiate(learned, fused, second, objective, 0.6).second;
  learned.parameters.gradients().zero_();
  fused.differentiate(feed_of(first, objective), 0.4, learned.parameters);
  fused.differentiate(feed_of(second, objective), 0.6, learned.parameters);
  CHECK(difference(learned.parameters.gradients(), one + two) < 1e-6);
}

TEST_CASE("losses and gradients have the same bits for any number of threads") {
  const int before = compute_threads();
  for (const std::string& yaml : models()) {
    Learned learned(yaml);
    const Objective objective = learned.objective("cross_entropy");
    Backend fused = learned.backend(kFused, objective);
    for (const int64_t size : {5, 128, 700}) {
      CAPTURE(yaml, size);
      const Batch batch = batch_of(size);
      set_compute_threads(1);
      at::set_num_threads(1);
      const auto [wanted, gradients] = differentiate(learned, fused, batch, objective, 1);
      for (const int threads : {2, 3, 7}) {
        CAPTURE(threads);
        set_compute_threads(threads);
        at::set_num_threads(1);
        const auto [got, ours] = differentiate(learned, fused, batch, objective, 1);
        CHECK(at::equal(got, wanted));
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
  for (const char* way : {kLayers, kFused}) {
    Backend backend = whole.backend(way, objective);
    parameters.gradients().zero_();
    backend.differentiate(feed_of(batch, objective), 1, parameters);
    gradients.push_back(parameters.gradients().clone());
  }
  CHECK(parameters.values().numel() < whole.parameters.values().numel());
  CHECK(difference(gradients[1], gradients[0]) <= kTolerance * largest(gradients[0]));
}

}  // namespace vitrine

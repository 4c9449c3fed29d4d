#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "experiments/probe.h"
#include "framework/model/part.h"
#include "framework/registry/register.h"
#include "framework/training/backend.h"
#include "framework/training/experiment.h"

namespace vitrine {
namespace {

struct Options : ExperimentOptions {
  double temperature = 0.5;
  int64_t projection_d = 64;
  int64_t neighbours = 20, known = 10'000;

  Options() {
    predicts = false;
    views = 2;
  }

  void visit(Fields& field) {
    ExperimentOptions::visit(field);
    field("temperature", temperature, "what similarities are divided by", above(0))
        .words({"tau", "T"});
    field("projection_d", projection_d, "width of what is compared", between(2, 1'000'000))
        .words({"projection_dim", "proj_dim", "out_dim"});
    field("neighbours", neighbours, "nearest neighbours that vote where features are evaluated",
          at_least(1))
        .words({"neighbors", "k", "knn_k", "n_neighbors"});
    field("known", known, "training images, the first ones, that features are evaluated by",
          at_least(1));
  }

  void check(const ExperimentContext& context, Check& check) const {
    const auto is_random = [&](const auto& transform) {
      return transform.create(context.data.for_transforms())->is_random();
    };
    if (std::none_of(context.transforms.begin(), context.transforms.end(), is_random)) {
      check.error({"type"},
                  "contrastive compares two views of each image, and no transform makes them "
                  "differ: dataset.transforms takes random_affine, random_shift and others");
    }
  }
};

// What is compared of features: two layers, and each image's row is of length 1.
class Projector : public torch::nn::Module {
 public:
  Projector(int64_t width, int64_t projection)
      : scale_(at::full({projection}, 1 / std::sqrt(static_cast<double>(projection)))) {
    first_ = register_module("first", std::make_shared<Linear>(width, width));
    second_ = register_module("second", std::make_shared<Linear>(width, projection));
  }

  Value operator()(const Value& features) {
    const Scope scope("projector", "");
    const Value x = (*second_)(relu((*first_)(features)));
    return rms_norm(x, scale_.on(x), 1e-12);
  }

 private:
  std::shared_ptr<Linear> first_, second_;
  FixedTable scale_;
};

Value features_of(Model& model, const Value& images) { return flatten(model.features(images)); }

// Chen et al. 2020, "A Simple Framework for Contrastive Learning of Visual Representations"
// (SimCLR): the two views of an image are to be more alike than those of two images. Features are
// evaluated by their nearest neighbours and by a linear classifier.
class Contrastive : public Experiment {
 public:
  Contrastive(const Options& options, const ExperimentContext& context)
      : options_(options),
        model_(context.model),
        feature_width_(feature_width(*context.model, context.image_sizes())),
        projector_(std::make_shared<Projector>(feature_width_, options.projection_d)),
        classes_(context.data.classes()),
        projected_(projection(context), context.backend, context.device),
        features_(features(context), context.backend, context.device) {
    const auto mean = [](const double* sums, double images) { return sums[0] / images; };
    const auto share = [](int64_t at) {
      return [at](const double* sums, double) { return sums[at] / sums[kAsked]; };
    };
    measures_.push_back({"loss", "", {"min", "nats"}, mean, true});
    if (classes_ == 0) return;
    measures_.push_back({"knn_accuracy", "", {"max", "fraction"}, share(kKnn), false, false});
    measures_.push_back({"probe_accuracy", "", {"max", "fraction"}, share(kProbe), false, false});
  }

  bool has_own_threads() const override { return projected_.has_own_threads(); }
  const Computation& computation() const override { return projected_.computation(); }
  Modules modules() const override { return {{"projector", projector_}}; }
  int64_t width() const override { return kAsked + 1; }
  const std::vector<Measure>& measures() const override { return measures_; }

  Tensor differentiate(const Batch& batch, double share, FlatParameters& /*parameters*/) override {
    const Tensor loss = loss_of(batch);
    (loss * share).backward();
    return of_loss(loss, batch.size());
  }

  Evaluation evaluate(const Batches& data, const EvaluationOptions& options) override {
    const at::NoGradGuard no_grad;
    const InEvaluation in_evaluation(projected_.computation().modules);
    Tensor sums = at::zeros({width()}, at::kDouble);
    for_batches(
        data.as_trained(), options,
        [&](const Batch& batch) { sums += of_loss(loss_of(batch), batch.size()).cpu(); },
        options_.views);
    if (classes_ > 0 && options.train && !options.cancelled()) {
      const Labelled known = labelled(*options.train, options, options_.known);
      const Labelled asked = labelled(data, options, data.size());
      sums[kAsked] = asked.size();
      if (!options.cancelled() && known.size() > 0) {
        sums[kKnn] = right_by_neighbours(known, asked, options_.neighbours, classes_);
        sums[kProbe] = right_by_linear_probe(known, asked, classes_);
      }
    }
    Evaluation out;
    out.values = values_of(measures_, options.split, sums.const_data_ptr<double>(), data.size());
    return out;
  }

 private:
  // The sums behind that of the loss: of the images that are right, and of those that have a label.
  static constexpr int64_t kKnn = 1, kProbe = 2, kAsked = 3;

  Computation projection(const ExperimentContext& context) {
    Computation out;
    out.modules = trained_together(model_, modules());
    out.images = context.image_sizes();
    out.outputs = [this](const Value& images) {
      return std::vector{(*projector_)(features_of(*model_, images))};
    };
    return out;
  }
  Computation features(const ExperimentContext& context) {
    Computation out = projection(context);
    out.outputs = [this](const Value& images) { return std::vector{features_of(*model_, images)}; };
    return out;
  }

  // The mean cross-entropy of each view's telling its other one from all of the batch.
  Tensor loss_of(const Batch& batch) {
    const Tensor rows = projected_.forward({batch.images, {}, batch.position})[0];
    const int64_t n = rows.size(0);
    const Tensor alike = at::matmul(rows, rows.t()) / options_.temperature;
    const Tensor itself = at::eye(n, rows.options().dtype(at::kBool));
    const Tensor others = alike.masked_fill(itself, -std::numeric_limits<float>::infinity());
    const Tensor other_view = (at::arange(n, rows.options().dtype(at::kLong)) + n / 2).remainder(n);
    return at::cross_entropy_loss(others, other_view);
  }

  Tensor of_loss(const Tensor& loss, int64_t images) const {
    const Tensor sum = sum_over_images(loss) * static_cast<double>(images);
    return at::cat({sum, at::zeros({width() - 1}, sum.options())});
  }

  // The first images that have a label: one that is no class is of an image that has none.
  Labelled labelled(const Batches& data, const EvaluationOptions& options, int64_t most) {
    std::vector<Tensor> rows = {at::empty({0, feature_width_})},
                        labels = {at::empty({0}, at::kLong)};
    int64_t count = 0;
    EvaluationOptions until = options;
    until.cancelled = [&] { return count >= most || options.cancelled(); };
    for_batches(data, until, [&](const Batch& batch) {
      if (batch.labels.empty()) return;
      const Tensor here = batch.labels.at(0).cpu();
      const Tensor has = here.ge(0).logical_and(here.lt(classes_)).nonzero().squeeze(1);
      rows.push_back(features_.forward({batch.images, {}, {}})[0].cpu().index_select(0, has));
      labels.push_back(here.index_select(0, has));
      count += has.size(0);
    });
    return {at::cat(rows).slice(0, 0, most), at::cat(labels).slice(0, 0, most)};
  }

  Options options_;
  std::shared_ptr<Model> model_;
  int64_t feature_width_;
  std::shared_ptr<Projector> projector_;
  int64_t classes_;  // 0: the images have no labels
  Backend projected_, features_;
  std::vector<Measure> measures_;
};

VITRINE_REGISTER(Experiment, Contrastive, Options,
                 "learns without labels that two views of an image are alike")

}  // namespace
}  // namespace vitrine

#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/flip.h>
#include <ATen/ops/zeros.h>

#include "framework/model/part.h"
#include "framework/registry/register.h"
#include "framework/training/backend.h"
#include "framework/training/experiment.h"

namespace vitrine {
namespace {

constexpr int64_t kViews = 2;  // an image and its mirror image

// The model has no heads of its own here (`predicts`), and each image is twice in a batch.
struct Options : ExperimentOptions {
  std::string direction = "upside_down";

  Options() {
    predicts = false;
    views = kViews;
  }
  void visit(Fields& field) {
    ExperimentOptions::visit(field);
    field("direction", direction, "in which images are mirrored",
          one_of({"upside_down", "left_right"}));
  }
};

// Learns without labels: was the image mirrored?
class ExampleExperiment : public Experiment {
 public:
  // Made after the model and before data are loaded. What it draws is drawn here.
  ExampleExperiment(const Options& options, const ExperimentContext& context)
      : dimension_(options.direction == "upside_down" ? 2 : 3),
        head_(
            std::make_shared<Linear>(feature_width(*context.model, context.image_sizes()), kViews)),
        backend_(computation_of(context), context.backend, context.device) {}

  bool has_own_threads() const override { return backend_.has_own_threads(); }
  const Computation& computation() const override { return backend_.computation(); }
  // What is trained, averaged and kept in checkpoints beside the model.
  Modules modules() const override { return {{"head", head_}}; }
  // What is counted of images: so many sums, and the values that follow from them.
  int64_t width() const override { return static_cast<int64_t>(measures_.size()); }
  const std::vector<Measure>& measures() const override { return measures_; }

  Tensor differentiate(const Batch& batch, double share, FlatParameters& parameters) override {
    const TorchFeed feed = mirrored(batch);
    return sums_of(backend_.differentiate(feed, share, parameters), feed);
  }

  Evaluation evaluate(const Batches& data, const EvaluationOptions& options) override {
    const InEvaluation in_evaluation(computation().modules);
    Tensor sums = at::zeros({width()}, at::kDouble);
    const auto count = [&](const Batch& batch) {
      const TorchFeed feed = mirrored(batch);
      sums += sums_of(backend_.evaluate(feed), feed).cpu();
    };
    for_batches(data, options, count, kViews);
    Evaluation out;
    out.values = values_of(measures_, options.split, sums.const_data_ptr<double>(), data.size());
    return out;
  }

 private:
  // What a step computes of each image, in operations, so that the kernel can run it.
  Computation computation_of(const ExperimentContext& context) const {
    Computation out;
    out.modules = trained_together(context.model, modules());
    out.images = context.image_sizes();
    out.outputs = [model = context.model, head = head_](const Value& images) {
      return std::vector<Value>{(*head)(flatten(model->features(images)))};
    };
    out.losses = [](const std::vector<Value>& outputs) {
      return std::vector<Value>{pick(log_softmax(outputs[0]), input(0)) * -1};
    };
    out.weights = {1};
    return out;
  }

  // All images once, then all again, mirrored; with what is to be told of each.
  TorchFeed mirrored(const Batch& batch) const {
    std::vector<Tensor> views = batch.images.chunk(kViews);
    views[1] = at::flip(views[1], {dimension_});
    const auto numbers = batch.images.options().dtype(at::kFloat);
    const Tensor targets = at::arange(kViews, numbers).repeat_interleave(batch.size());
    return {at::cat(views), {targets.unsqueeze(1)}, batch.position};
  }

  // An image counts once, by the mean over its views.
  static Tensor sums_of(const Backend::Outcome& outcome, const TorchFeed& feed) {
    const Tensor right = outcome.outputs[0].argmax(1) == feed.inputs[0].squeeze(1);
    return at::cat({sum_over_images(outcome.losses[0]), sum_over_images(right)}) / kViews;
  }

  int64_t dimension_;
  std::shared_ptr<Linear> head_;
  Backend backend_;
  std::vector<Measure> measures_ = {
      {"loss", "", {"min", "nats"}, [](auto* sums, double n) { return sums[0] / n; }, true},
      {"accuracy", "", {"max", "fraction"}, [](auto* sums, double n) { return sums[1] / n; }}};
};

VITRINE_REGISTER(Experiment, ExampleExperiment, Options, "whether an image was mirrored")

}  // namespace
}  // namespace vitrine

#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/rot90.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include "framework/model/part.h"
#include "framework/registry/register.h"
#include "framework/training/backend.h"
#include "framework/training/experiment.h"

// Gidaris et al. 2018, "Unsupervised Representation Learning by Predicting Image Rotations".
namespace vitrine {
namespace {

constexpr int64_t kTurns = 4;  // by no, one, two and three quarters

struct Options : ExperimentOptions {
  Options() {
    predicts = false;
    views = kTurns;
  }

  void check(const ExperimentContext& context, Check& check) const {
    const DatasetInfo& data = context.data;
    if (data.height == data.width) return;
    check.error({}, fmt::format("turned images must keep their size: they must be square, but "
                                "the data set's are {} high and {} wide",
                                data.height, data.width));
  }
};

// The views, each turned once more than the one before it, with the turns as targets.
TorchFeed turned(const Batch& batch) {
  std::vector<Tensor> views = batch.images.chunk(kTurns);
  for (int64_t turns = 0; turns < kTurns; ++turns)
    views[turns] = at::rot90(views[turns], turns, {2, 3});
  const auto numbers = batch.images.options().dtype(at::kFloat);
  const Tensor targets = at::arange(kTurns, numbers).repeat_interleave(batch.size());
  return {at::cat(views), {targets.unsqueeze(1)}, batch.position};
}

// Of loss and right answers. An image counts once, by the means over its turns.
Tensor sums_of(const Backend::Outcome& outcome, const TorchFeed& feed) {
  const Tensor right = outcome.outputs[0].argmax(1) == feed.inputs[0].squeeze(1);
  return at::cat({sum_over_images(outcome.losses[0]), sum_over_images(right)}) / kTurns;
}

class Rotation : public Experiment {
 public:
  Rotation(const Options& /*options*/, const ExperimentContext& context)
      : head_(
            std::make_shared<Linear>(feature_width(*context.model, context.image_sizes()), kTurns)),
        backend_(computation_of(context), context.backend, context.device) {}

  bool has_own_threads() const override { return backend_.has_own_threads(); }
  const Computation& computation() const override { return backend_.computation(); }
  Modules modules() const override { return {{"head", head_}}; }
  int64_t width() const override { return static_cast<int64_t>(measures_.size()); }
  const std::vector<Measure>& measures() const override { return measures_; }

  Tensor differentiate(const Batch& batch, double share, FlatParameters& parameters) override {
    const TorchFeed feed = turned(batch);
    return sums_of(backend_.differentiate(feed, share, parameters), feed);
  }

  Evaluation evaluate(const Batches& data, const EvaluationOptions& options) override {
    const InEvaluation in_evaluation(computation().modules);
    Tensor sums = at::zeros({width()}, at::kDouble);
    const auto count = [&](const Batch& batch) {
      const TorchFeed feed = turned(batch);
      sums += sums_of(backend_.evaluate(feed), feed).cpu();
    };
    for_batches(data, options, count, kTurns);
    Evaluation out;
    out.values = values_of(measures_, options.split, sums.const_data_ptr<double>(), data.size());
    return out;
  }

 private:
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

  std::shared_ptr<Linear> head_;
  Backend backend_;
  std::vector<Measure> measures_ = {
      {"loss", "", {"min", "nats"}, [](auto* sums, double n) { return sums[0] / n; }, true},
      {"accuracy", "", {"max", "fraction"}, [](auto* sums, double n) { return sums[1] / n; }}};
};

VITRINE_REGISTER(Experiment, Rotation, Options, "how many quarter turns an image was rotated by")

}  // namespace
}  // namespace vitrine

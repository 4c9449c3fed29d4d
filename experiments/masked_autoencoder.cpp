#include <ATen/core/grad_mode.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>
#include <torch/nn/modules/container/modulelist.h>

#include <cmath>

#include "experiments/reconstruction.h"
#include "framework/registry/register.h"
#include "framework/training/backend.h"
#include "framework/training/experiment.h"
#include "models/parts.h"

namespace vitrine {
namespace {

struct Options : ExperimentOptions {
  double hidden = 0.75;
  bool normalize_pixels = true;
  int64_t decoder_d = 64, decoder_heads = 4, decoder_blocks = 1;
  Choice<Position> decoder_position{"sincos"};

  Options() { predicts = false; }

  void visit(Fields& field) {
    ExperimentOptions::visit(field);
    field("hidden", hidden, "share of the patches that are hidden from the model", between(0, 1))
        .words({"mask_ratio", "mask", "masking_ratio"});
    field("normalize_pixels", normalize_pixels,
          "whether the pixels of a patch are to be told by their mean and deviation")
        .words({"norm_pix_loss", "norm_pixels"});
    field("decoder_d", decoder_d, "width of the decoder's tokens", between(1, 1'000'000))
        .words({"decoder_embed_dim", "decoder_dim", "decoder_hidden_d"});
    field("decoder_heads", decoder_heads, "heads of its attention; divides decoder_d",
          between(1, 1'000'000))
        .words({"decoder_num_heads", "decoder_n_heads"});
    field("decoder_blocks", decoder_blocks, "number of its blocks", between(1, 10'000))
        .words({"decoder_depth", "decoder_n_blocks"});
    field("decoder_position", decoder_position, "what tells its tokens apart by their place");
  }

  void check(const ExperimentContext& context, Check& check) const;
  int64_t visible(const PartContext& of_model) const {
    return of_model.rows * of_model.columns -
           std::llround(hidden * static_cast<double>(of_model.rows * of_model.columns));
  }
  // What the decoder's parts stand in.
  PartContext decoder(PartContext of_model) const {
    of_model.hidden_d = decoder_d;
    of_model.n_heads = decoder_heads;
    return of_model;
  }
};

void Options::check(const ExperimentContext& context, Check& check) const {
  if (decoder_d % decoder_heads != 0) {
    check.error({"decoder_d", "decoder_heads"},
                fmt::format("decoder_d ({}) must be divisible by decoder_heads ({})", decoder_d,
                            decoder_heads));
  }
  const auto* model = dynamic_cast<const PatchModel*>(context.model.get());
  if (!model) {
    return check.error({"type"},
                       "masked_autoencoder hides patches from the model, and this model makes no "
                       "token of each patch that the others could do without");
  }
  const PartContext& of_model = model->context();
  const int64_t patches = of_model.rows * of_model.columns, shown = visible(of_model);
  if (shown < 1 || shown >= patches) {
    check.error({"hidden"}, fmt::format("hidden: {} of {} patches would be hidden: at least one "
                                        "must be, and at least one must not",
                                        patches - shown, patches));
  }
  if (of_model.position && !of_model.position->stays_with_tokens()) {
    check.error({"type"},
                "masked_autoencoder needs tokens that know their places: model.position must add "
                "something to them");
  }
  decoder_position.check(decoder(of_model), check.problems());
}

int64_t pixels_of_patch(const PartContext& context) {
  return context.channels * context.patch_height() * context.patch_width();
}

// Makes all patches of the tokens of some.
class Decoder : public torch::nn::Module {
 public:
  Decoder(const Options& options, const PartContext& of_model)
      : context_(options.decoder(of_model)) {
    add("input", input_ = std::make_shared<Linear>(of_model.hidden_d, context_.hidden_d));
    hidden_ = register_parameter("hidden", at::randn({1, context_.hidden_d}) * 0.02);
    add("position", position_ = options.decoder_position.create(context_));
    context_.position = position_.get();
    auto blocks = register_module("blocks", torch::nn::ModuleList());
    BlockContext context{context_,
                         [this] { return part<Norm>("layer"); },
                         [this] { return part<Attention>("multi_head"); },
                         [this] { return part<Mlp>("gelu"); },
                         0,
                         options.decoder_blocks};
    for (; context.index < context.n_blocks; ++context.index) {
      blocks_.push_back(default_of<Block>("pre_norm").create(context));
      blocks_.back()->set_name(fmt::format("decoder.blocks.{}", context.index));
      blocks->push_back(std::static_pointer_cast<torch::nn::Module>(blocks_.back()));
    }
    add("norm", norm_ = part<Norm>("layer"));
    add("output", output_ = std::make_shared<Linear>(context_.hidden_d, pixels_of_patch(context_)));
  }

  // Of the model's tokens, the special ones first, and where each patch stands among them: at
  // `shown` and beyond it is hidden. [special + patches, decoder_d]
  Value decoded(const Value& tokens_shown, const Value& places, int64_t shown) const {
    const int64_t special = context_.special_tokens;
    const Value x = (*input_)(tokens_shown);
    const auto last = static_cast<double>(shown);
    const Value numbers = maximum(places * -1, -last) * -1;  // the hidden ones are one token
    const Value patches =
        gather_tokens(join_tokens({tokens(x, special, shown), table(hidden_)}), numbers);
    Value y = special == 0 ? patches : join_tokens({tokens(x, 0, special), patches});
    y = (*position_)(y);
    for (const auto& block : blocks_) y = (*block)(y);
    return tokens((*norm_)(y), special, context_.rows * context_.columns);
  }
  Value pixels(const Value& decoded) const { return (*output_)(decoded); }

 private:
  template <class Kind>
  static Choice<Kind> default_of(const char* type) {
    Choice<Kind> out(type);
    Problems none;
    out.read_default("decoder", none);
    return out;
  }
  template <class Kind>
  std::shared_ptr<Kind> part(const char* type) const {
    return default_of<Kind>(type).create(context_);
  }
  void add(const std::string& name, const std::shared_ptr<Part>& part) {
    register_module(name, std::static_pointer_cast<torch::nn::Module>(part));
    part->set_name("decoder." + name);
  }

  PartContext context_;
  std::shared_ptr<Linear> input_, output_;
  Tensor hidden_;  // what stands for every hidden patch, [1, decoder_d]
  std::shared_ptr<Position> position_;
  std::vector<std::shared_ptr<Block>> blocks_;
  std::shared_ptr<Norm> norm_;
};

// He et al. 2022, "Masked Autoencoders Are Scalable Vision Learners": most patches are hidden, the
// model reads the others, and a light decoder tells the pixels of those that it did not see.
class MaskedAutoencoder : public Experiment, public Reconstructs {
 public:
  MaskedAutoencoder(const Options& options, const ExperimentContext& context)
      : options_(options),
        model_(dynamic_cast<PatchModel&>(*context.model)),
        geometry_(model_.context()),
        shown_(options.visible(geometry_)),
        decoder_(std::make_shared<Decoder>(options, geometry_)),
        modules_(trained_together(context.model, {{"decoder", decoder_}})),
        ones_(at::ones({pixels_of_patch(geometry_)})),
        zeros_(at::zeros({pixels_of_patch(geometry_)})),
        backend_(computation_of(context), context.backend, context.device),
        reconstructing_(reconstruction(), context.backend, context.device) {
    freeze_unused(backend_.computation());
  }

  bool has_own_threads() const override { return backend_.has_own_threads(); }
  const Computation& computation() const override { return backend_.computation(); }
  Modules modules() const override { return {{"decoder", decoder_}}; }
  int64_t width() const override { return 1; }
  const std::vector<Measure>& measures() const override { return measures_; }

  Tensor differentiate(const Batch& batch, double share, FlatParameters& parameters) override {
    return sum_over_images(
        backend_.differentiate({batch.images, {}, batch.position}, share, parameters).losses[0]);
  }

  Evaluation evaluate(const Batches& data, const EvaluationOptions& options) override {
    const at::NoGradGuard no_grad;
    const InEvaluation in_evaluation(modules_);
    double sum = 0;
    for_batches(data, options, [&](const Batch& batch) {
      const auto outcome = backend_.evaluate({batch.images, {}, batch.position});
      sum += sum_over_images(outcome.losses[0]).item<double>();
    });
    Evaluation out;
    out.values = values_of(measures_, options.split, &sum, data.size());
    return out;
  }

  std::string told_relative_to() const override {
    return options_.normalize_pixels ? "the image's own mean and deviation in each patch" : "";
  }
  Reconstruction reconstruct(const Tensor& images, const BatchPosition& position) override {
    const at::NoGradGuard no_grad;
    const InEvaluation in_evaluation(modules_);
    const auto outputs = reconstructing_.forward({images, {}, position});
    const int64_t patches = geometry_.rows * geometry_.columns;
    const Tensor is_hidden = outputs[1].view({-1, patches, 1}) >= shown_;
    const auto image_of = [&](const Tensor& x) {
      return x
          .view({-1, geometry_.rows, geometry_.columns, geometry_.channels,
                 geometry_.patch_height(), geometry_.patch_width()})
          .permute({0, 3, 1, 4, 2, 5})
          .reshape({-1, geometry_.channels, geometry_.height, geometry_.width});
    };
    const Tensor pixels = outputs[2].view({outputs[2].size(0), patches, -1});
    Tensor told = outputs[0].view(pixels.sizes());
    if (options_.normalize_pixels) {  // the patch's own mean and deviation are put in again
      const Tensor mean = pixels.mean(2, true);
      told = told * ((pixels - mean).square().mean(2, true) + kEps).sqrt() + mean;
    }
    return {image_of(is_hidden.expand_as(pixels)), image_of(told)};
  }

 private:
  static constexpr double kEps = 1e-6;

  // What the model and the decoder make of an image of which some patches are shown.
  struct Seen {
    Value order, places;  // of the patches: the first are shown
    Value decoded;        // [patches, decoder_d]
  };
  Seen seen(const Value& images) const {
    const int64_t special = geometry_.special_tokens, patches = geometry_.rows * geometry_.columns;
    Seen out;
    {
      const Scope scope("mask", "random");
      const Value both = random_order(patches);
      out.order = columns(both, 0, 1);
      out.places = columns(both, 1, 1);
    }
    const Value x = model_.embedded(images);
    const Value shown = gather_tokens(tokens(x, special, patches), tokens(out.order, 0, shown_));
    const Value y =
        model_.encoded(special == 0 ? shown : join_tokens({tokens(x, 0, special), shown}));
    out.decoded = decoder_->decoded(y, out.places, shown_);
    return out;
  }

  // The mean over the hidden patches of the mean squared difference of their pixels.
  Computation computation_of(const ExperimentContext& context) {
    Computation out;
    out.modules = modules_;
    out.images = context.image_sizes();
    out.outputs = [this](const Value& images) {
      const int64_t n = geometry_.rows * geometry_.columns;
      const Seen all = seen(images);
      const Value hidden = tokens(all.order, shown_, n - shown_);
      const Value told = decoder_->pixels(gather_tokens(all.decoded, hidden));
      const Scope scope("loss", "");
      Value wanted = gather_tokens(patches(images, geometry_.rows, geometry_.columns), hidden);
      if (options_.normalize_pixels) wanted = normalized(wanted);
      return std::vector{mean_over_tokens(mean_over_columns(square(told - wanted)))};
    };
    out.losses = [](const std::vector<Value>& outputs) { return outputs; };
    out.weights = {1};
    return out;
  }

  // Of all patches what is told of them, their places and what they are.
  Computation reconstruction() {
    Computation out = backend_.computation();
    out.losses = {};
    out.outputs = [this](const Value& images) {
      const Seen all = seen(images);
      return std::vector{decoder_->pixels(all.decoded), all.places,
                         patches(images, geometry_.rows, geometry_.columns)};
    };
    return out;
  }

  Value normalized(const Value& pixels) {
    return layer_norm(pixels, ones_.on(pixels), zeros_.on(pixels), kEps);
  }

  Options options_;
  PatchModel& model_;
  PartContext geometry_;  // of the model's tokens
  int64_t shown_;         // patches
  std::shared_ptr<Decoder> decoder_;
  Modules modules_;
  FixedTable ones_, zeros_;  // [pixels of a patch]
  Backend backend_, reconstructing_;
  std::vector<Measure> measures_ = {
      {"loss",
       "",
       {"min", "squared difference"},
       [](const double* sums, double images) { return sums[0] / images; },
       true}};
};

VITRINE_REGISTER(Experiment, MaskedAutoencoder, Options,
                 "learns without labels to tell the pixels of hidden patches from the others")

}  // namespace
}  // namespace vitrine

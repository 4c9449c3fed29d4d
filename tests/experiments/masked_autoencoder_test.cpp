#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/randint.h>

#include "experiments/reconstruction.h"
#include "framework/training/backend.h"
#include "framework/training/experiment.h"
#include "tests/component.h"
#include "tests/models/support.h"

namespace vitrine {
namespace {

constexpr const char* kModel =
    "{type: vit, n_patches: [3, 2], hidden_d: 8, n_heads: 2, n_blocks: 2, n_registers: 1}";

// On images of 2 x 6 x 4, whose patches are 2 x 2.
struct Made {
  std::shared_ptr<Model> model;
  std::shared_ptr<Experiment> experiment;
  std::unique_ptr<FlatParameters> parameters;

  Made(const std::string& options, const char* way) {
    at::manual_seed(4);
    ModelContext images{2, 6, 4, {}};
    model = make_model(kModel, images);
    ExperimentContext context;
    context.model = model;
    context.backend = way;
    context.data.channels = 2;
    context.data.height = 6;
    context.data.width = 4;
    context.device = "cpu";
    experiment = make<Experiment>(
        "{type: masked_autoencoder, decoder_d: 12, decoder_heads: 2" + options + "}", context);
    Modules modules = {{"", model}};
    for (const auto& [name, module] : experiment->modules())
      modules.push_back({kOfExperiment + name + ".", module});
    parameters = std::make_unique<FlatParameters>(modules);
  }

  Reconstruction reconstruct(const Tensor& images, int64_t epoch = 2) {
    return dynamic_cast<Reconstructs&>(*experiment).reconstruct(images, position(images, epoch));
  }
  static BatchPosition position(const Tensor& images, int64_t epoch) {
    return {9, epoch, at::arange(40, 40 + images.size(0))};
  }
  // The mean loss, and the gradients.
  std::pair<double, Tensor> differentiate(const Tensor& images) {
    parameters->gradients().zero_();
    Batch batch;
    batch.images = images;
    batch.count = images.size(0);
    batch.position = position(images, 2);
    const Tensor sum = experiment->differentiate(batch, 1, *parameters);
    return {sum[0].item<double>() / static_cast<double>(images.size(0)),
            parameters->gradients().clone()};
  }
};

Tensor some_images() {
  at::manual_seed(8);
  return at::randint(0, 256, {21, 2, 6, 4}, at::kByte);
}
Tensor in_patches(const Tensor& images) {  // [B, patches, pixels]
  return images.view({-1, 2, 3, 2, 2, 2}).permute({0, 2, 4, 1, 3, 5}).reshape({-1, 6, 8});
}

}  // namespace

TEST_CASE("the loss is the mean squared difference of the hidden patches' pixels") {
  const Tensor images = some_images(), pixels = images.to(at::kFloat).div(255);
  for (const char* way : {kLayers, kFused}) {
    CAPTURE(way);
    Made made(", hidden: 0.5, normalize_pixels: false", way);
    const auto [hidden, told] = made.reconstruct(images);
    CHECK(at::equal(hidden.sum({1, 2, 3}), at::full({21}, 3 * 8, at::kLong)));  // three patches
    const Tensor difference = (told - pixels).square();
    const double wanted = difference.masked_select(hidden).mean().item<double>();
    CHECK(made.differentiate(images).first == Approx(wanted).epsilon(1e-5));
  }
}

TEST_CASE("normalized pixels are told by their patch's mean and deviation") {
  const Tensor images = some_images(), pixels = images.to(at::kFloat).div(255);
  Made made(", hidden: 0.5", kFused);
  const auto [hidden, told] = made.reconstruct(images);
  const Tensor patches = in_patches(pixels), mean = patches.mean(2, true);
  const Tensor deviation = ((patches - mean).square().mean(2, true) + 1e-6).sqrt();
  const Tensor difference = ((in_patches(told) - patches) / deviation).square();
  const double wanted = difference.masked_select(in_patches(hidden)).mean().item<double>();
  CHECK(made.differentiate(images).first == Approx(wanted).epsilon(1e-4));
}

TEST_CASE("what is hidden has no part in what is told, and what is shown has") {
  const Tensor images = some_images();
  Made made(", hidden: 0.5, normalize_pixels: false", kFused);
  const auto [hidden, told] = made.reconstruct(images);
  const Tensor others = at::where(hidden, images.flip(0), images);
  CHECK_FALSE(at::equal(others, images));
  CHECK(same_bits(made.reconstruct(others).told, told));
  const Tensor changed = at::where(hidden, images, images.flip(0));
  CHECK(largest_difference(made.reconstruct(changed).told, told) > 1e-3);
}

TEST_CASE("other patches are hidden in each epoch and of each image") {
  const Tensor images = some_images();
  Made made(", hidden: 0.5", kFused);
  const Tensor hidden = made.reconstruct(images).hidden;
  CHECK(at::equal(made.reconstruct(images).hidden, hidden));
  CHECK_FALSE(at::equal(made.reconstruct(images, 3).hidden, hidden));
  CHECK_FALSE(at::equal(hidden[0], hidden[1]));
}

TEST_CASE("the kernel's gradients are libtorch's, of the decoder too") {
  const Tensor images = some_images();
  Made layers(", hidden: 0.67, decoder_blocks: 2", kLayers);
  Made fused(", hidden: 0.67, decoder_blocks: 2", kFused);
  REQUIRE(same_bits(layers.parameters->values(), fused.parameters->values()));
  const auto [wanted, gradients] = layers.differentiate(images);
  const auto [got, ours] = fused.differentiate(images);
  CHECK(got == Approx(wanted).epsilon(1e-5));
  CHECK(largest_difference(ours, gradients) < 1e-5 * gradients.abs().max().item<double>());
  for (const auto& slice : fused.parameters->slices()) {
    CAPTURE(slice.name);
    CHECK(fused.parameters->by_name(ours).at(slice.name).abs().max().item<double>() > 0);
  }
}

}  // namespace vitrine

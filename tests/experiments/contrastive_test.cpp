#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>

#include <cmath>

#include "experiments/probe.h"
#include "framework/model/tensors.h"
#include "framework/training/backend.h"
#include "framework/training/experiment.h"
#include "tests/component.h"
#include "tests/models/support.h"

namespace vitrine {

TEST_CASE("the contrastive loss is the cross-entropy of finding each view's other one") {
  at::manual_seed(4);
  ExperimentContext context;
  context.model =
      make_model("{type: vit, n_patches: 2, hidden_d: 8, n_heads: 2, n_blocks: 1}", {1, 4, 4, {}});
  context.backend = kFused;
  context.data.channels = 1;
  context.data.height = context.data.width = 4;
  context.device = "cpu";
  Problems none;
  context.transforms.emplace_back("random_shift");
  context.transforms.back().read_default("transforms", none);
  const auto experiment =
      make<Experiment>("{type: contrastive, temperature: 0.2, projection_d: 5}", context);
  const Modules modules = {{"", context.model},
                           {"experiment.projector.", experiment->modules().at(0).module}};
  FlatParameters parameters(modules);
  Batch batch;
  batch.images = at::randint(0, 256, {12, 1, 4, 4}, at::kByte);  // two views of six images
  batch.labels = {at::zeros({6}, at::kLong)};
  batch.count = 6;
  batch.position = {1, 0, at::arange(12)};
  const double sum = experiment->differentiate(batch, 1, parameters)[0].item<double>();
  CHECK(parameters.gradients().abs().max().item<double>() > 0);

  // The same by loops.
  const at::NoGradGuard no_grad;
  const auto tensors = state_of(modules);
  Tensor x;
  {
    const TorchFeed feed{batch.images, {}, {}};
    const WithFeed with_feed(feed);
    x = context.model->features(batch.images).tensor().flatten(1);
  }
  const auto layer = [&](const Tensor& of, const std::string& name) {
    const std::string place = "experiment.projector." + name;
    return at::matmul(of, tensors.at(place + ".weight").t()) + tensors.at(place + ".bias");
  };
  const Tensor z = layer(layer(x, "first").relu(), "second");
  double wanted = 0;
  const auto cosine = [&](int64_t i, int64_t j) {
    return ((z[i] * z[j]).sum() / (z[i].norm() * z[j].norm())).item<double>() / 0.2;
  };
  for (int64_t i = 0; i < 12; ++i) {
    double all = 0;
    for (int64_t j = 0; j < 12; ++j) all += j == i ? 0 : std::exp(cosine(i, j));
    wanted += std::log(all) - cosine(i, (i + 6) % 12);
  }
  CHECK(sum / 6 == Approx(wanted / 12).epsilon(1e-4));
}

TEST_CASE("neighbours vote, the nearer ones more") {
  const Labelled known = {at::tensor({1.0F, 0.0F, 0.9F, 0.5F, 0.0F, 2.0F}).view({3, 2}),
                          at::tensor({0, 1, 1}, at::kLong)};
  const Labelled asked = {at::tensor({5.0F, 0.1F, 0.1F, 1.0F, 1.0F, 0.0F}).view({3, 2}),
                          at::tensor({0, 1, 1}, at::kLong)};
  CHECK(right_by_neighbours(known, asked, 1, 2) == 2);
  CHECK(right_by_neighbours(known, asked, 20, 2) == 2);  // more than there are: all of them
}

TEST_CASE("a linear probe tells apart what a line does, and no more") {
  at::manual_seed(2);
  const Tensor x = at::randn({400, 3});
  const Tensor by_line = (x.select(1, 0) * 3 + x.select(1, 2) > 0.5).to(at::kLong);
  const Tensor by_product = (x.select(1, 0) * x.select(1, 1) > 0).to(at::kLong);
  const auto share = [&](const Tensor& labels) {
    return right_by_linear_probe({x.slice(0, 0, 300) * 50, labels.slice(0, 0, 300)},
                                 {x.slice(0, 300) * 50, labels.slice(0, 300)}, 2) /
           100;
  };
  CHECK(share(by_line) >= 0.98);
  CHECK(share(by_product) < 0.65);
}

}  // namespace vitrine

#include "experiments/probe.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <torch/optim/lbfgs.h>

#include <algorithm>

namespace vitrine {
namespace {

constexpr int64_t kPortion = 1024;  // rows that are compared with all others at once
constexpr double kSharpness = 1 / 0.07;
constexpr double kDecay = 1e-4;
constexpr int kSteps = 100;

Tensor of_length_one(const Tensor& rows) { return rows / rows.norm(2, {1}, true).clamp_min(1e-12); }

double count_equal(const Tensor& a, const Tensor& b) {
  return static_cast<double>(a.eq(b).sum().item<int64_t>());
}

}  // namespace

double right_by_neighbours(const Labelled& known, const Labelled& asked, int64_t neighbours,
                           int64_t classes) {
  const Tensor all = of_length_one(known.features).t(), rows = of_length_one(asked.features);
  const int64_t k = std::min(neighbours, known.size());
  double right = 0;
  for (int64_t first = 0; first < rows.size(0); first += kPortion) {
    const Tensor some = rows.slice(0, first, first + kPortion);
    const auto [cosines, numbers] = at::matmul(some, all).topk(k, 1);
    const Tensor labels = known.labels.index_select(0, numbers.flatten()).view(numbers.sizes());
    const Tensor votes =
        at::zeros({some.size(0), classes}).scatter_add_(1, labels, (cosines * kSharpness).exp());
    right += count_equal(votes.argmax(1), asked.labels.slice(0, first, first + kPortion));
  }
  return right;
}

double right_by_linear_probe(const Labelled& known, const Labelled& asked, int64_t classes) {
  const Tensor mean = known.features.mean(0, true);
  const Tensor deviation = (known.features - mean).square().mean(0, true).sqrt().clamp_min(1e-6);
  const auto prepared = [&](const Tensor& features) {
    return at::cat({(features - mean) / deviation, at::ones({features.size(0), 1})}, 1);
  };
  const Tensor x = prepared(known.features);
  const at::AutoGradMode with_gradients(true);
  Tensor weight = at::zeros({classes, x.size(1)}).set_requires_grad(true);
  torch::optim::LBFGS optimizer(
      {weight}, torch::optim::LBFGSOptions(1).max_iter(kSteps).line_search_fn("strong_wolfe"));
  optimizer.step([&] {
    optimizer.zero_grad();
    Tensor loss = at::cross_entropy_loss(at::matmul(x, weight.t()), known.labels) +
                  weight.square().sum() * (kDecay / 2);
    loss.backward();
    return loss;
  });
  const at::NoGradGuard no_grad;
  return count_equal(at::matmul(prepared(asked.features), weight.t()).argmax(1), asked.labels);
}

}  // namespace vitrine

#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "framework/training/backend.h"
#include "framework/training/objective.h"
#include "tests/models/support.h"

// What the two ways to execute a model compute, and whether that is the same.
namespace vitrine {

inline Tensor bytes_for(const ModelContext& images, int64_t batch) {
  return at::randint(0, 256, {batch, images.channels, images.height, images.width}, at::kByte);
}

// A model's outputs, and their losses.
inline Computation computation_of(const std::shared_ptr<Model>& model, const Objective& objective,
                                  std::vector<int64_t> images) {
  Computation out = outputs_of_tasks(model, std::move(images));
  out.losses = [objective](const auto& outputs) { return objective.losses(outputs); };
  out.weights = objective.weights();
  return out;
}

// A model with both backends.
struct Pair {
  std::shared_ptr<Model> model;
  std::unique_ptr<Backend> layers, fused;

  Pair(std::shared_ptr<Model> made, const ModelContext& images) : model(std::move(made)) {
    // Norms and biases too: where they are 1 and 0 a mistake would not show.
    at::NoGradGuard no_grad;
    for (auto& parameter : model->parameters()) parameter.add_(at::randn(parameter.sizes()), 0.1);
    const std::vector<int64_t> sizes = {images.channels, images.height, images.width};
    layers = std::make_unique<Backend>(model, kLayers, sizes, "cpu");
    fused = std::make_unique<Backend>(model, kFused, sizes, "cpu");
  }
};

inline Pair make_pair_of(const std::string& yaml, const ModelContext& images) {
  at::manual_seed(1);
  return {make_model(yaml, images), images};
}

struct Results {
  std::vector<Tensor> outputs;
  std::map<std::string, Tensor> gradients;  // undefined where there is none
};

// Forward and backward of a weighted sum of all outputs, with weights from `seed`. What is random
// draws for images whose numbers are 100, 101, ...
inline Results run(const Model& model, Backend& backend, const Tensor& images, uint64_t seed = 3) {
  for (auto& parameter : model.parameters()) parameter.mutable_grad() = Tensor();
  const BatchPosition position{5, 2, at::arange(100, 100 + images.size(0))};
  Results out;
  out.outputs = backend.forward({images, {}, position});
  at::manual_seed(seed);
  Tensor sum = at::zeros({});
  for (Tensor& output : out.outputs) {
    sum = sum + (output * at::randn(output.sizes())).sum();
    output = output.detach();
  }
  if (sum.requires_grad()) sum.backward();
  for (const auto& item : model.named_parameters()) {
    const Tensor gradient = item.value().grad();
    out.gradients[item.key()] = gradient.defined() ? gradient.clone() : Tensor();
  }
  return out;
}
inline Results run_layers(const Pair& pair, const Tensor& images) {
  return run(*pair.model, *pair.layers, images);
}
inline Results run_fused(const Pair& pair, const Tensor& images) {
  return run(*pair.model, *pair.fused, images);
}

inline double largest(const Tensor& x) {
  return !x.defined() || x.numel() == 0 ? 0 : x.abs().max().item<double>();
}
inline double difference(const Tensor& a, const Tensor& b) {
  if (a.sizes() != b.sizes()) throw std::runtime_error("different shapes");
  return largest(a - b);
}

constexpr double kTolerance = 1e-5;  // of the largest

// What differs by more; empty where nothing does.
inline std::string differing_outputs(const std::vector<Tensor>& got,
                                     const std::vector<Tensor>& wanted) {
  if (got.size() != wanted.size()) return "number of outputs";
  std::string out;
  for (size_t i = 0; i < wanted.size(); ++i) {
    const double by = difference(got[i], wanted[i]), scale = std::max(largest(wanted[i]), 1.0);
    if (!(by <= kTolerance * scale)) out += fmt::format("output {} by {} of {}\n", i, by, scale);
  }
  return out;
}
// A parameter that nothing depends on may have a gradient of 0 or none.
inline std::string differing_gradients(const std::map<std::string, Tensor>& got,
                                       const std::map<std::string, Tensor>& wanted) {
  if (got.size() != wanted.size()) return "number of gradients";
  double scale = 0;
  for (const auto& [name, gradient] : wanted) scale = std::max(scale, largest(gradient));
  std::string out;
  for (const auto& [name, gradient] : wanted) {
    const Tensor& ours = got.at(name);
    const bool both = ours.defined() && gradient.defined();
    const double by =
        both ? difference(ours, gradient) : std::max(largest(ours), largest(gradient));
    if (!(by <= (both ? kTolerance * scale : 0)))
      out += fmt::format("gradient of {} by {} of {}\n", name, by, scale);
  }
  return out;
}
inline std::string differing(const Results& got, const Results& wanted) {
  return differing_outputs(got.outputs, wanted.outputs) +
         differing_gradients(got.gradients, wanted.gradients);
}

inline void check_outputs(const std::vector<Tensor>& got, const std::vector<Tensor>& wanted) {
  CHECK(differing_outputs(got, wanted) == "");
}
inline void check_gradients(const std::map<std::string, Tensor>& got,
                            const std::map<std::string, Tensor>& wanted) {
  CHECK(differing_gradients(got, wanted) == "");
}
inline void check_agreement(const Results& got, const Results& wanted) {
  CHECK(differing(got, wanted) == "");
}

// Whether libtorch's own gradients jump within what rounding moves: of a ReLU at 0, or of a maximum
// of two equal numbers, each side is right. Other images are then tried: a mistake shows again.
inline bool is_at_jump(const Pair& pair, const Tensor& images) {
  const Results here = run_layers(pair, images);
  const at::NoGradGuard no_grad;
  std::vector<Tensor> kept;
  for (const auto& parameter : pair.model->parameters()) kept.push_back(parameter.clone());
  bool out = false;
  for (uint64_t i = 0; i < 16 && !out; ++i) {
    at::manual_seed(i);
    const auto parameters = pair.model->parameters();
    for (size_t k = 0; k < kept.size(); ++k) {
      Tensor(parameters[k]).copy_(kept[k] * (1 + 3e-6 * at::randn(kept[k].sizes())));
    }
    const at::AutoGradMode with_gradients(true);
    const Results there = run_layers(pair, images);
    out = !differing_gradients(there.gradients, here.gradients).empty();
  }
  const auto parameters = pair.model->parameters();
  for (size_t k = 0; k < kept.size(); ++k) Tensor(parameters[k]).copy_(kept[k]);
  return out;
}

inline void check_equal_bits(const Results& got, const Results& wanted) {
  for (size_t i = 0; i < wanted.outputs.size(); ++i)
    CHECK(same_bits(got.outputs[i], wanted.outputs[i]));
  for (const auto& [name, gradient] : wanted.gradients) {
    CAPTURE(name);
    CHECK(same_bits(got.gradients.at(name), gradient));
  }
}

// Training, in which something may be random, and evaluation. Images at which gradients jump are
// replaced by others.
inline void check_both_modes(const Pair& pair, const std::function<Tensor()>& make_images) {
  for (const bool training : {true, false}) {
    CAPTURE(training);
    pair.model->train(training);
    Tensor images = make_images();
    std::string found = differing(run_fused(pair, images), run_layers(pair, images));
    for (int i = 0; i < 3 && !found.empty() && is_at_jump(pair, images); ++i) {
      at::manual_seed(static_cast<uint64_t>(1000 + i));  // `run` sets it
      images = make_images();
      found = differing(run_fused(pair, images), run_layers(pair, images));
    }
    CHECK(found == "");
    const at::NoGradGuard no_grad;
    const BatchPosition position{5, 2, at::arange(100, 100 + images.size(0))};
    check_outputs(pair.fused->forward({images, {}, position}),
                  pair.layers->forward({images, {}, position}));
  }
  pair.model->train();
}

}  // namespace vitrine

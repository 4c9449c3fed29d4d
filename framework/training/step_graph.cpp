#include "framework/training/step_graph.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "framework/data/tensor_words.h"
#include "framework/engine/engine.h"
#include "framework/training/waiting.h"

namespace vitrine {
namespace {

// What is computed on the device alone.
struct Computed {
  std::vector<Tensor> sums;  // of each batch: double [width]
  Tensor norm;               // of the gradient, before it was scaled down
};

int64_t images_of(const std::vector<Batch>& batches) {
  int64_t out = 0;
  for (const Batch& batch : batches) out += batch.size();
  return out;
}

Tensor sums_of_step(Experiment& experiment, const Batch& batch, double share,
                    FlatParameters& parameters) {
  const Component* component = experiment.component();
  Tensor sums = in_component(component, "step",
                             [&] { return experiment.differentiate(batch, share, parameters); });
  const bool is_kept = sums.defined() && sums.scalar_type() == at::kDouble && sums.dim() == 1 &&
                       sums.size(0) == experiment.width();
  if (!is_kept && component) {
    fail(*component, "step",
         fmt::format("its sums are {}: they must be {}, as width says", type_and_shape(sums),
                     type_and_shape(at::kDouble, {experiment.width()})));
  }
  return sums;
}

// A step whose learning rate the optimizer has.
Computed compute(Learner& learner, const std::vector<Batch>& batches,
                 const std::optional<double>& clip_norm) {
  Computed out;
  const auto images = static_cast<double>(images_of(batches));
  const Tensor& gradients = learner.parameters->gradients();
  gradients.zero_();
  for (const Batch& batch : batches) {
    const double share = static_cast<double>(batch.size()) / images;
    out.sums.push_back(sums_of_step(*learner.experiment, batch, share, *learner.parameters));
  }
  out.norm = at::linalg_vector_norm(gradients);
  if (clip_norm) gradients.mul_((*clip_norm / (out.norm + 1e-6)).clamp_max(1.0));
  learner.optimizer->step_placed();
  return out;
}

void count(const Computed& computed, const std::vector<Batch>& batches, Meter& meter) {
  for (size_t i = 0; i < batches.size(); ++i) meter.add(computed.sums[i], batches[i].size());
}

// The tensors of a batch that lie on the device.
std::vector<Tensor> tensors_of(const Batch& batch) {
  std::vector<Tensor> out = {batch.images};
  out.insert(out.end(), batch.labels.begin(), batch.labels.end());
  if (batch.mixture) {
    out.push_back(batch.mixture->partners);
    out.push_back(batch.mixture->shares);
  }
  return out;
}

// A batch of the same sizes with memory of its own. Where it stands in training is not told: what
// is random draws from the device's generator.
Batch fixed_like(const Batch& batch) {
  Batch out;
  out.count = batch.count;
  out.position.seed = batch.position.seed;
  out.images = batch.images.clone();
  for (const Tensor& labels : batch.labels) out.labels.push_back(labels.clone());
  if (batch.mixture) out.mixture = {batch.mixture->partners.clone(), batch.mixture->shares.clone()};
  return out;
}

void copy_into(const Batch& fixed, const Batch& batch) {
  const std::vector<Tensor> to = tensors_of(fixed), from = tensors_of(batch);
  for (size_t i = 0; i < to.size(); ++i) to[i].copy_(from[i], /*non_blocking=*/true);
}

std::vector<int64_t> shape_of(const std::vector<Batch>& batches) {
  std::vector<int64_t> out;
  for (const Batch& batch : batches) {
    for (const Tensor& tensor : tensors_of(batch)) {
      out.push_back(static_cast<int64_t>(tensor.scalar_type()));
      out.push_back(tensor.dim());
      out.insert(out.end(), tensor.sizes().begin(), tensor.sizes().end());
    }
  }
  return out;
}

// A plug-in's component that computes in a step. It may look at what a repetition does not look at
// again. A recorded model is computed without its parts.
std::string plug_in_of_step(const Learner& learner) {
  static const std::set<std::string> kAround = {"callback", "logger",   "transform",
                                                "mix",      "schedule", "dataset"};
  static const std::set<std::string> kBesideModel = {"experiment", "optimizer", "loss", "metric"};
  const bool is_recorded = record(learner.experiment->computation()).is_recorded();
  for (const MadeComponents::One& one : learner.components.alive()) {
    const auto* made = dynamic_cast<const Registered*>(one.it.get());
    const Component* component = made ? made->component() : nullptr;
    if (!component || component->library.empty()) continue;
    if (is_recorded ? kBesideModel.contains(component->kind) : !kAround.contains(component->kind))
      return component->kind + " " + component->name;
  }
  return "";
}

}  // namespace

Tensor train_step(Learner& learner, const std::vector<Batch>& batches,
                  const std::optional<double>& clip_norm, double learning_rate, Meter& meter) {
  learner.optimizer->place(learning_rate);
  const Computed computed = compute(learner, batches, clip_norm);
  count(computed, batches, meter);
  return computed.norm;
}

StepGraph::StepGraph(Learner& learner, std::optional<double> clip_norm, MakeDeviceGraph make,
                     Observer* observer)
    : learner_(learner), clip_norm_(clip_norm), make_(std::move(make)), observer_(observer) {
  if (!make_) return;
  if (const std::string plug_in = plug_in_of_step(learner); !plug_in.empty())
    give_up("the " + plug_in +
            " is of a plug-in, which may look at what changes from step to step");
}

void StepGraph::tell(const std::string& words) {
  if (observer_ && !is_told_) observer_->message(words);
  is_told_ = true;
}

void StepGraph::give_up(const std::string& why) {
  make_ = nullptr;
  recorded_.clear();
  is_told_ = false;
  tell("steps are not repeated as a graph: " + why);
}

void StepGraph::begin_anew_if_others_are_trained() {
  std::vector<bool> now;
  for (const FlatParameters::Slice& slice : learner_.parameters->slices())
    now.push_back(slice.parameter.requires_grad());
  if (now == trained_) return;
  trained_ = std::move(now);
  recorded_.clear();
}

// A plain step, which shows whether it can be repeated.
Tensor StepGraph::watched_step(const std::vector<Batch>& batches, double learning_rate,
                               Meter& meter) {
  std::map<std::string, int64_t> found;
  learner_.optimizer->place(learning_rate);
  const Computed computed = [&] {
    const WaitingOperators waiting;
    Computed out = compute(learner_, batches, clip_norm_);
    found = waiting.found();
    return out;
  }();
  count(computed, batches, meter);
  if (!found.empty()) give_up("a step waits for the device: " + found.begin()->first);
  return computed.norm;
}

void StepGraph::record(const std::vector<Batch>& batches, Recorded& into) {
  for (const Batch& batch : batches) into.batches.push_back(fixed_like(batch));
  into.graph = make_();
  into.graph->record([this, &into] {
    Computed computed = compute(learner_, into.batches, clip_norm_);
    into.sums = std::move(computed.sums);
    into.norm = std::move(computed.norm);
  });
}

Tensor StepGraph::step(const std::vector<Batch>& batches, double learning_rate, Meter& meter) {
  constexpr int64_t kPlain = 3;  // what is made in first steps is there then
  const auto plainly = [&] {
    return train_step(learner_, batches, clip_norm_, learning_rate, meter);
  };
  if (!make_) return plainly();
  begin_anew_if_others_are_trained();
  const int64_t images = images_of(batches);
  most_images_ = std::max(most_images_, images);
  if (images < most_images_) return plainly();
  Recorded& recorded = recorded_[shape_of(batches)];
  if (!recorded.graph) {
    ++recorded.plain;
    if (recorded.plain < kPlain) return plainly();
    if (recorded.plain == kPlain) return watched_step(batches, learning_rate, meter);
    try {
      record(batches, recorded);
    } catch (const c10::Error& error) {
      give_up(error.what_without_backtrace());
      return plainly();
    } catch (const Error& error) {  // of a library that cannot be loaded, or of a component
      give_up(error.what());
      return plainly();
    }
    tell("steps are repeated as a graph");
  }
  for (size_t i = 0; i < batches.size(); ++i) copy_into(recorded.batches[i], batches[i]);
  learner_.optimizer->place(learning_rate);
  recorded.graph->repeat();
  ++repeated_;
  count({recorded.sums, recorded.norm}, batches, meter);
  return recorded.norm;
}

}  // namespace vitrine

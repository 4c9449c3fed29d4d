#include "framework/training/optimizer.h"

#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_sub.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "framework/model/model.h"

namespace vitrine {

void OptimizerOptions::visit(Fields& field) {
  const bool is_l2 = form_ == WeightDecay::kL2;
  field("lr", lr, "learning rate", at_least(0)).words({"learning_rate", "step_size", "max_lr"});
  field("weight_decay", weight_decay,
        is_l2 ? "factor of the weights that is added to the gradients"
              : "fraction of the weights, times lr, that each step takes off",
        at_least(0))
      .words({"wd", "decay", "l2"});
  field("exclude_bias_and_norm", exclude_bias_and_norm,
        "keep weight decay from biases, norms, tokens and positions")
      .words({"weight_decay_exclude_1d", "filter_bias_and_bn", "no_weight_decay", "bias_decay",
              "exclude_from_weight_decay", "norm_weight_decay", "bias_weight_decay",
              "exclude_bias_n_norm", "exclude_bias_and_bn", "norm_decay", "no_decay"});
  Rule part = between(0, 1);
  part.words = "above 0, at most 1";
  part.above_minimum = true;
  field("layer_decay", layer_decay,
        "what the learning rate of each layer is multiplied by, once for every layer above it",
        part)
      .words({"layerwise_decay", "layer_wise_decay", "llrd", "layer_lr_decay", "lr_decay_rate",
              "layer_decay_rate", "layerwise_lr_decay"});
  field("head_lr_factor", head_lr_factor, "what the learning rate of the heads is multiplied by",
        above(0))
      .words(
          {"head_lr", "lr_head", "head_lr_mult", "head_lr_multiplier", "lr_mult", "classifier_lr"});
}

void OptimizerOptions::check(Check& check) const {
  const bool is_default = exclude_bias_and_norm == (form_ == WeightDecay::kDecoupled);
  // The default may stand there: a resolved config spells everything out.
  if (weight_decay == 0 && !is_default)
    check.no_effect("exclude_bias_and_norm", "weight_decay is 0");
}

void OptimizerOptions::check(const OptimizerCheckContext& context, Check& check) const {
  if (layer_decay != 1 && context.model.layers().empty())
    check.no_effect("layer_decay", "the model does not tell its layers");
  if (head_lr_factor != 1 && context.model.heads().empty())
    check.no_effect("head_lr_factor", "the model does not tell its heads");
}

void OptimizerOptions::check_betas(const std::vector<double>& betas, Check& check) {
  if (betas.size() == 2) return;
  check.error({"betas"}, "betas takes two numbers, got " + std::to_string(betas.size()));
}

Optimizer::Optimizer(const OptimizerOptions& options, const OptimizerContext& context,
                     bool one_by_one)
    : parameters_(context.parameters), learning_rate_(options.lr) {
  group_slices(options, one_by_one);
  const bool is_whole = groups_.size() == 1 && !one_by_one;
  for (Group& group : groups_) {
    if (is_whole) group.ranges.clear();
    group.values = views(group, parameters_.values());
    group.gradients = views(group, parameters_.gradients());
    const auto type = device().is_cpu() ? at::kDouble : at::kFloat;
    group.rate = at::zeros({}, at::TensorOptions(device()).dtype(type));
  }
}

void Optimizer::group_slices(const OptimizerOptions& options, bool one_by_one) {
  const auto& slices = parameters_.slices();
  size_t last = slices.size();  // the group of the slice before
  for (size_t i = 0; i < slices.size(); ++i) {
    const ParameterTraits& traits = slices[i].traits;
    Group wanted;
    wanted.lr_factor = std::pow(options.layer_decay, traits.layers_above) *
                       (traits.is_head ? options.head_lr_factor : 1);
    wanted.is_excluded = options.exclude_bias_and_norm && !traits.decays;
    wanted.weight_decay = wanted.is_excluded ? 0 : options.weight_decay;
    if (!one_by_one && options.weight_decay == 0) wanted.is_excluded = false;
    wanted.stage = slices[i].stage;
    wanted.parameter = slices[i].parameter;
    Group& group = group_like(wanted);
    const int64_t begin = slices[i].offset;
    // With the gap behind it, which holds 0.
    const int64_t end = i + 1 < slices.size() ? slices[i + 1].offset : parameters_.values().numel();
    if (last == group.index && !one_by_one) {
      group.ranges.back().second += end - begin;
    } else {
      group.ranges.emplace_back(begin, end - begin);
    }
    last = group.index;
  }
}

Optimizer::Group& Optimizer::group_like(const Group& wanted) {
  for (Group& group : groups_) {
    if (group.lr_factor == wanted.lr_factor && group.is_excluded == wanted.is_excluded &&
        group.stage == wanted.stage)
      return group;
  }
  groups_.push_back(wanted);
  groups_.back().index = groups_.size() - 1;
  return groups_.back();
}

std::vector<Tensor> Optimizer::views(const Group& group, const Tensor& flat) const {
  if (group.ranges.empty()) return {flat};
  std::vector<Tensor> out;
  for (const auto& [offset, length] : group.ranges) out.push_back(flat.narrow(0, offset, length));
  return out;
}

namespace {

// Where values lie, and how many they are.
std::vector<std::pair<const void*, int64_t>> places(const std::vector<Tensor>& values) {
  std::vector<std::pair<const void*, int64_t>> out;
  for (const Tensor& each : values) out.emplace_back(each.const_data_ptr(), each.numel());
  return out;
}

}  // namespace

void Optimizer::place(double learning_rate) {
  placed_ = learning_rate;
  for (const Group& group : groups_) Tensor(group.rate).fill_(learning_rate * group.lr_factor);
}

void Optimizer::step_placed() {
  std::set<size_t> counted;
  for (const Group& group : groups_) {
    if (!group.parameter.requires_grad()) continue;
    if (group.steps.defined() && counted.insert(group.stage).second) group.steps.add_(1);
    const auto before = places(group.values);
    in("step", [&] { update(group, placed_ * group.lr_factor); });
    require(places(group.values) == before, "step", [] {
      return "it has given values another place or size: they must be changed where they are";
    });
  }
}

// On a CPU a number is faster, and a sum with a multiple rounds once.
void Optimizer::descend(const Group& group, const std::vector<Tensor>& directions,
                        double learning_rate) {
  if (group.rate.is_cpu()) return at::_foreach_add_(group.values, directions, -learning_rate);
  at::_foreach_sub_(group.values, at::_foreach_mul(directions, group.rate));
}

void Optimizer::decay(const Group& group, double learning_rate) {
  if (group.rate.is_cpu())
    return at::_foreach_mul_(group.values, 1 - learning_rate * group.weight_decay);
  at::_foreach_mul_(group.values, 1 - group.rate * group.weight_decay);
}

const Tensor& Optimizer::expect_slot(const std::string& name, const Tensor& like) {
  Tensor& slot = slots_[name];
  if (!slot.defined()) slot = at::zeros_like(like);
  return slot;
}

Optimizer::Views Optimizer::add_slot(const std::string& name) {
  const Tensor& slot = expect_slot(name, parameters_.values());
  Views out;
  for (const Group& group : groups_) out.push_back(views(group, slot));
  return out;
}

void Optimizer::count_steps(const at::Device& device) {
  for (Group& group : groups_) {
    const std::string slot = group.stage == 0 ? "step" : fmt::format("step.{}", group.stage);
    Tensor& counter = slots_[slot];
    if (!counter.defined()) counter = at::zeros({1}, at::TensorOptions(device).dtype(at::kFloat));
    group.steps = counter;
  }
}

}  // namespace vitrine

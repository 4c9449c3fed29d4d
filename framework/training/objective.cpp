#include "framework/training/objective.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>
#include <numeric>

namespace vitrine {
namespace {

double sum_of(const Tensor& losses) {
  const float* values = losses.const_data_ptr<float>();
  return std::accumulate(values, values + losses.numel(), 0.0);
}

std::vector<Choice<Metric>> metrics_of(const std::vector<Choice<Metric>>& given, const Task& task) {
  if (!given.empty()) return given;
  Choice<Metric> usual(task.metric);
  Problems none;
  usual.read_default(Metric::kKind, none);
  return {usual};
}

std::string name_of(const Choice<Metric>& choice, const Metric& metric) {
  const std::string own = metric.name();
  return own.empty() ? choice.type() : own;
}

}  // namespace

Objective::Objective(std::vector<Task> tasks, std::shared_ptr<Loss> loss,
                     const std::vector<Choice<Metric>>& metrics, at::Device device)
    : tasks_(std::move(tasks)), loss_(std::move(loss)) {
  for (const Task& task : tasks_) {
    bool identity = true;
    for (size_t i = 0; i < task.target_of_label.size(); ++i)
      identity &= task.target_of_label[i] == static_cast<int64_t>(i);
    tables_.push_back(identity ? Tensor() : at::tensor(task.target_of_label).to(device));
    first_.push_back(width_++);
    metrics_.emplace_back();
    for (const Choice<Metric>& choice : metrics_of(metrics, task)) {
      const auto metric = choice.create({task});
      metrics_.back().push_back({name_of(choice, *metric), metric, width_});
      width_ += metric->width();
    }
  }
  add_measures();
}

void Objective::add_measures() {
  const MetricInfo of_loss{"min", loss_->unit()};
  const auto add_loss = [&](const std::string& task, int64_t at) {
    const auto mean = [at](const double* sums, double images) { return sums[at] / images; };
    measures_.push_back({"loss", task, of_loss, mean, true});
  };
  const auto add_metrics = [&](size_t task, const std::string& name) {
    for (const Counted& counted : metrics_[task]) {
      const auto value = [counted](const double* sums, double images) {
        return counted.metric->value(sums + counted.first, images);
      };
      measures_.push_back(
          {counted.name, name, {counted.metric->goal(), counted.metric->unit()}, value, false});
    }
  };
  add_loss("", 0);
  add_metrics(0, "");
  for (size_t i = 0; tasks_.size() > 1 && i < tasks_.size(); ++i) {
    add_loss(tasks_[i].name, first_[i]);
    add_metrics(i, tasks_[i].name);
  }
}

std::vector<Tensor> Objective::targets(const Tensor& labels) const {
  std::vector<Tensor> out;
  for (const Tensor& table : tables_)
    out.push_back(table.defined() ? table.index_select(0, labels) : labels);
  return out;
}

Tensor Objective::sums(const std::vector<Tensor>& outputs, const std::vector<Tensor>& losses,
                       const std::vector<Tensor>& targets) const {
  const at::Device device = outputs[0].device();
  // MPS has no double precision.
  Tensor out = at::zeros(
      {width_},
      at::TensorOptions(at::kDouble).device(device.is_mps() ? at::Device(at::kCPU) : device));
  for (size_t i = 0; i < tasks_.size(); ++i) {
    if (device.is_cpu()) {
      auto* values = out.data_ptr<double>();
      values[first_[i]] = sum_of(losses[i].to(at::kFloat).contiguous());
      values[0] += tasks_[i].weight * values[first_[i]];
    } else {
      const Tensor loss = losses[i].to(out.device(), at::kDouble).sum();
      out[first_[i]] += loss;
      out[0] += loss * tasks_[i].weight;
    }
    for (const Counted& counted : metrics_[i]) {
      Tensor of_metric = out.narrow(0, counted.first, counted.metric->width());
      counted.metric->add(outputs[i], targets[i], of_metric);
    }
  }
  return out;
}

std::vector<Value> Objective::losses(const std::vector<Value>& outputs) const {
  std::vector<Value> out;
  for (size_t i = 0; i < tasks_.size(); ++i)
    out.push_back(loss_->forward(outputs[i], input(static_cast<int64_t>(i)), tasks_[i]));
  return out;
}

std::vector<double> Objective::weights() const {
  std::vector<double> out;
  for (const Task& task : tasks_) out.push_back(task.weight);
  return out;
}

std::vector<std::string> metric_names(const std::vector<Choice<Metric>>& metrics,
                                      const Task& task) {
  std::vector<std::string> out;
  for (const Choice<Metric>& choice : metrics_of(metrics, task)) {
    out.push_back(name_of(choice, *choice.create({task})));
  }
  return out;
}

}  // namespace vitrine

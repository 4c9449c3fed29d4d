#include "framework/training/objective.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>
#include <numeric>

namespace vitrine {
namespace {

// How many rows are largest at the target.
double count_correct(const Tensor& output, const Tensor& target) {
  const auto rows = output.accessor<float, 2>();
  const auto targets = target.accessor<int64_t, 1>();
  int64_t correct = 0;
  for (int64_t i = 0; i < rows.size(0); ++i) {
    const float* row = rows[i].data();
    correct += std::max_element(row, row + rows.size(1)) - row == targets[i];
  }
  return static_cast<double>(correct);
}

double sum_of(const Tensor& losses) {
  const float* values = losses.const_data_ptr<float>();
  return std::accumulate(values, values + losses.numel(), 0.0);
}

}  // namespace

Objective::Objective(std::vector<Task> tasks, std::shared_ptr<Loss> loss, at::Device device)
    : tasks_(std::move(tasks)), loss_(std::move(loss)) {
  for (const Task& task : tasks_) {
    bool identity = true;
    for (size_t i = 0; i < task.target_of_label.size(); ++i)
      identity &= task.target_of_label[i] == static_cast<int64_t>(i);
    tables_.push_back(identity ? Tensor() : at::tensor(task.target_of_label).to(device));
  }
}

std::vector<Tensor> Objective::targets(const Tensor& labels) const {
  std::vector<Tensor> out;
  for (const Tensor& table : tables_)
    out.push_back(table.defined() ? table.index_select(0, labels) : labels);
  return out;
}

// Of a small batch on the CPU, libtorch's operations cost more than the counting.
Tensor Objective::sums(const std::vector<Tensor>& outputs, const std::vector<Tensor>& losses,
                       const std::vector<Tensor>& targets) const {
  const auto width = kSharedSums + 2 * static_cast<int64_t>(tasks_.size());
  const at::Device device = outputs[0].device();
  // MPS has no double precision.
  Tensor out = at::zeros(
      {width},
      at::TensorOptions(at::kDouble).device(device.is_mps() ? at::Device(at::kCPU) : device));
  for (size_t i = 0; i < tasks_.size(); ++i) {
    const auto at = kSharedSums + 2 * static_cast<int64_t>(i);
    if (device.is_cpu()) {
      auto* values = out.data_ptr<double>();
      values[at] = sum_of(losses[i].to(at::kFloat).contiguous());
      values[at + 1] = count_correct(outputs[i].to(at::kFloat).contiguous(), targets[i]);
      values[0] += tasks_[i].weight * values[at];
    } else {
      const Tensor loss = losses[i].to(out.device(), at::kDouble).sum();
      out[at] += loss;
      out[at + 1] += outputs[i].argmax(1).eq(targets[i]).sum().to(out.device());
      out[0] += loss * tasks_[i].weight;
    }
  }
  return out;
}

Objective::Result Objective::operator()(const std::vector<Tensor>& outputs,
                                        const Tensor& labels) const {
  const std::vector<Tensor> wanted = targets(labels);
  std::vector<Tensor> losses, detached;
  Result out;
  for (size_t i = 0; i < tasks_.size(); ++i) {
    const Tensor target = wanted[i].to(at::kFloat).view({-1, 1, 1});
    const Tensor loss = loss_->forward(outputs[i].unsqueeze(1), target, tasks_[i]).tensor();
    const Tensor mean = loss.mean();
    const Tensor weighted = tasks_[i].weight == 1 ? mean : mean * tasks_[i].weight;
    out.loss = out.loss.defined() ? out.loss + weighted : weighted;
    losses.push_back(loss.detach());
    detached.push_back(outputs[i].detach());
  }
  const at::NoGradGuard no_grad;
  out.sums = sums(detached, losses, wanted);
  return out;
}

}  // namespace vitrine

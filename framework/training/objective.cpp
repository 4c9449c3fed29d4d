#include "framework/training/objective.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/tensor.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>

namespace vitrine {
namespace {

// How many rows are largest at the target. Of a small batch on the CPU, libtorch's three operations
// cost more than the counting.
Tensor count_correct(const Tensor& output, const Tensor& target) {
  if (!output.is_cpu()) return output.argmax(1).eq(target).sum();
  const Tensor values = output.to(at::kFloat).contiguous();
  const auto rows = values.accessor<float, 2>();
  const auto targets = target.accessor<int64_t, 1>();
  int64_t correct = 0;
  for (int64_t i = 0; i < rows.size(0); ++i) {
    const float* row = rows[i].data();
    correct += std::max_element(row, row + rows.size(1)) - row == targets[i];
  }
  return at::scalar_tensor(correct, at::kLong);
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

Objective::Result Objective::from_losses(const std::vector<Tensor>& outputs,
                                         const std::vector<Tensor>& losses,
                                         const std::vector<Tensor>& targets) const {
  Result out;
  for (size_t i = 0; i < tasks_.size(); ++i) {
    const Tensor loss = losses[i].mean();
    const Tensor weighted = tasks_[i].weight == 1 ? loss : loss * tasks_[i].weight;
    out.loss = out.loss.defined() ? out.loss + weighted : weighted;
    out.losses.push_back(loss.detach());
    const at::NoGradGuard no_grad;
    out.correct.push_back(count_correct(outputs[i].detach(), targets[i]));
  }
  return out;
}

Objective::Result Objective::operator()(const std::vector<Tensor>& outputs,
                                        const Tensor& labels) const {
  const std::vector<Tensor> wanted = targets(labels);
  std::vector<Tensor> losses;
  for (size_t i = 0; i < tasks_.size(); ++i) {
    const Tensor target = wanted[i].to(at::kFloat).view({-1, 1, 1});
    losses.push_back(loss_->forward(outputs[i].unsqueeze(1), target, tasks_[i]).tensor());
  }
  return from_losses(outputs, losses, wanted);
}

}  // namespace vitrine

#pragma once

#include <memory>
#include <vector>

#include "framework/training/loss.h"

namespace vitrine {

// What is minimised and counted: the loss of every task, and their weighted sum.
class Objective {
 public:
  struct Result {
    Tensor loss;                 // the weighted sum of the tasks' mean losses; a scalar
    std::vector<Tensor> losses;  // of each task; scalars
    std::vector<Tensor>
        correct;  // of each task: how many outputs are largest at the target; int64 scalars
  };

  Objective(std::vector<Task> tasks, std::shared_ptr<Loss> loss, at::Device device);

  const std::vector<Task>& tasks() const { return tasks_; }
  Loss& loss() const { return *loss_; }
  // From the outputs [B, classes], by the loss.
  Result operator()(const std::vector<Tensor>& outputs, const Tensor& labels) const;
  // From the outputs and the loss of each image [B], of each task.
  Result from_losses(const std::vector<Tensor>& outputs, const std::vector<Tensor>& losses,
                     const std::vector<Tensor>& targets) const;
  std::vector<Tensor> targets(const Tensor& labels) const;  // of each task int64 [B]

 private:
  std::vector<Task> tasks_;
  std::shared_ptr<Loss> loss_;
  std::vector<Tensor> tables_;  // label -> target; undefined where both are the same
};

}  // namespace vitrine

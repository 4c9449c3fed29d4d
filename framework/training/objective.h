#pragma once

#include <memory>
#include <vector>

#include "framework/training/loss.h"

namespace vitrine {

// What is minimised and counted: the loss of every task, and their weighted sum.
class Objective {
 public:
  // Of the sums over a batch: the weighted loss comes first, then a place for who keeps them, then
  // of each task its loss and how many outputs are largest at the target.
  static constexpr int64_t kSharedSums = 2;
  struct Result {
    Tensor loss;  // the weighted sum of the tasks' mean losses; a scalar, to be differentiated
    Tensor sums;  // double [kSharedSums + 2 * tasks]
  };

  Objective(std::vector<Task> tasks, std::shared_ptr<Loss> loss, at::Device device);

  const std::vector<Task>& tasks() const { return tasks_; }
  Loss& loss() const { return *loss_; }
  // From the outputs [B, classes], by the loss.
  Result operator()(const std::vector<Tensor>& outputs, const Tensor& labels) const;
  // Result::sums of the outputs and the loss of each image [B, ...], of each task.
  Tensor sums(const std::vector<Tensor>& outputs, const std::vector<Tensor>& losses,
              const std::vector<Tensor>& targets) const;
  std::vector<Tensor> targets(const Tensor& labels) const;  // of each task int64 [B]

 private:
  std::vector<Task> tasks_;
  std::shared_ptr<Loss> loss_;
  std::vector<Tensor> tables_;  // label -> target; undefined where both are the same
};

}  // namespace vitrine

#pragma once

#include <memory>
#include <vector>

#include "framework/model/loss.h"
#include "framework/training/measure.h"
#include "framework/training/metric.h"

namespace vitrine {

// What is minimised and counted: the loss and the metrics of every task, and the weighted sum of
// the losses.
class Objective {
 public:
  // Of these metrics each task has its own; of none its usual one.
  Objective(std::vector<Task> tasks, std::shared_ptr<Loss> loss,
            const std::vector<Choice<Metric>>& metrics, at::Device device);

  const std::vector<Task>& tasks() const { return tasks_; }
  int64_t width() const { return width_; }
  // The values that the sums tell: those of all tasks or the first one, then those of each of
  // several.
  const std::vector<Measure>& measures() const { return measures_; }
  Loss& loss() const { return *loss_; }
  // Of each image and task [1, 1], from the outputs and what the feed has as inputs: the targets.
  std::vector<Value> losses(const std::vector<Value>& outputs) const;
  std::vector<double> weights() const;                      // of the tasks' losses
  std::vector<Tensor> targets(const Tensor& labels) const;  // of each task int64 [B]
  // Double [width()], over a batch: the weighted loss, then of each task its loss and its metrics'
  // sums. From each task's outputs [B, classes] and losses [B].
  Tensor sums(const std::vector<Tensor>& outputs, const std::vector<Tensor>& losses,
              const std::vector<Tensor>& targets) const;

 private:
  struct Counted {
    std::string name;
    std::shared_ptr<Metric> metric;
    int64_t first = 0;  // of its sums
  };
  void add_measures();

  std::vector<Task> tasks_;
  std::shared_ptr<Loss> loss_;
  std::vector<std::vector<Counted>> metrics_;  // of each task
  std::vector<int64_t> first_;                 // of each task's sums
  int64_t width_ = 1;
  std::vector<Measure> measures_;
  std::vector<Tensor> tables_;  // label -> target; undefined where both are the same
};

// The names of these metrics, or of a task's usual one, in the order in which they are counted.
std::vector<std::string> metric_names(const std::vector<Choice<Metric>>& metrics, const Task& task);

}  // namespace vitrine

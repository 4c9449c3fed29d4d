#pragma once

#include <memory>
#include <vector>

#include "framework/training/loss.h"
#include "framework/training/measure.h"
#include "framework/training/metric.h"

namespace vitrine {

// What is minimised and counted: the loss and the metrics of every task, and the weighted sum of
// the losses.
class Objective {
 public:
  struct Result {
    Tensor loss;  // the weighted sum of the tasks' mean losses; a scalar, to be differentiated
    Tensor sums;  // double [width()], over the batch: the weighted loss, then those of each task,
                  // its loss first
  };

  // Of these metrics each task has its own; of none its usual one.
  Objective(std::vector<Task> tasks, std::shared_ptr<Loss> loss,
            const std::vector<Choice<Metric>>& metrics, at::Device device);

  const std::vector<Task>& tasks() const { return tasks_; }
  int64_t width() const { return width_; }
  // The values that the sums tell: those of all tasks or the first one, then those of each of
  // several.
  const std::vector<Measure>& measures() const { return measures_; }
  Loss& loss() const { return *loss_; }
  const std::shared_ptr<Loss>& shared_loss() const { return loss_; }
  // From the outputs [B, classes], by the loss.
  Result operator()(const std::vector<Tensor>& outputs, const Tensor& labels) const;
  // Result::sums, of the outputs and the loss of each image [B, ...], of each task.
  Tensor sums(const std::vector<Tensor>& outputs, const std::vector<Tensor>& losses,
              const std::vector<Tensor>& targets) const;
  std::vector<Tensor> targets(const Tensor& labels) const;  // of each task int64 [B]

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

#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "framework/data/batches.h"
#include "framework/model/loss.h"
#include "framework/training/evaluation.h"
#include "framework/training/measure.h"
#include "framework/training/metric.h"

namespace vitrine {

// What is minimised and counted: the loss and the metrics of every task, and the weighted sum of
// the losses.
class Objective {
 public:
  // Of these metrics each task has those that are meant for it; of none its usual one. Where
  // training mixes images, the targets of classes are shares of them, always.
  Objective(std::vector<Task> tasks, std::shared_ptr<Loss> loss,
            const std::vector<Choice<Metric>>& metrics, at::Device device, bool mixes = false);

  const std::vector<Task>& tasks() const { return tasks_; }
  int64_t width() const { return width_; }
  // The values that the sums tell: those of all tasks or the first one, then those of each of
  // several.
  const std::vector<Measure>& measures() const { return measures_; }
  Loss& loss() const { return *loss_; }
  // Of each image and task [1, 1], from the outputs and what the feed has as inputs: the targets.
  std::vector<Value> losses(const std::vector<Value>& outputs) const;
  std::vector<double> weights() const;  // of the tasks' losses
  // Of each task, from the labels of each column: the numbers of classes, int64 [B]; shares of
  // classes, labels of 0 and 1 or values, float [B, K]. Of a task whose images count differently
  // float [B, columns + 1], the last of which is what each counts: 0, or such that the mean of all
  // is that of those that count.
  std::vector<Tensor> targets(const std::vector<Tensor>& labels,
                              const std::optional<Mixture>& mixture = {}) const;
  // Those of a task without what images count: as Metric::add takes them, except that images that
  // do not count are there. Of shares of classes the largest one.
  Tensor plain_targets(size_t task, const Tensor& targets) const;
  // The images that count, int64; undefined where all do.
  Tensor counted(size_t task, const Tensor& targets) const;
  // What the outputs [B, K] of each task answer, beside what is right.
  std::vector<TaskAnswers> answers(const std::vector<Tensor>& outputs,
                                   const std::vector<Tensor>& targets) const;
  // Double [width()], over a batch: the weighted loss, then of each task its loss and its metrics'
  // sums. From each task's outputs [B, K] and losses [B].
  Tensor sums(const std::vector<Tensor>& outputs, const std::vector<Tensor>& losses,
              const std::vector<Tensor>& targets) const;

 private:
  struct Counted {
    std::string name;
    std::shared_ptr<Metric> metric;
    int64_t first = 0;  // of its sums
  };
  // What is known of each task.
  struct Entry {
    std::vector<Counted> metrics;
    int64_t first = 0;     // of its sums
    Tensor table;          // label -> target; undefined where both are the same
    Tensor class_weights;  // float [classes]; undefined where all count the same
    std::optional<int64_t> ignored;

    bool counts_differently() const { return class_weights.defined() || ignored; }
  };
  void add_measures();
  Tensor targets_of(size_t task, const Tensor& labels) const;
  bool has_shares(const Task& task) const;    // of classes, in the place of their numbers
  int64_t target_columns(size_t task) const;  // without what images count

  std::vector<Task> tasks_;
  std::shared_ptr<Loss> loss_;
  bool mixes_;
  std::vector<Entry> entries_;
  int64_t width_ = 1;
  std::vector<Measure> measures_;
};

// Reports metrics that are meant for no task, that do not suit theirs, or that stand there twice.
void check_metrics(const std::vector<Choice<Metric>>& metrics, const std::vector<Task>& tasks,
                   Check& training);

}  // namespace vitrine

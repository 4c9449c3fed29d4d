#pragma once

#include <optional>
#include <vector>

#include "framework/model/model_context.h"
#include "framework/model/operations.h"
#include "framework/registry/registry.h"
#include "framework/state/state.h"

namespace vitrine {

struct LossContext {
  std::vector<Task> tasks;  // that it serves
};

// The options that every loss has; its own derive from it.
struct LossOptions {
  // What a loss says of itself before it is made; no options.
  std::vector<TaskType> types = {TaskType::kClassification};  // of the tasks that it suits

  void visit(Fields& /*field*/) {}
};

class Loss : public Registered, public Stateful {
 public:
  static constexpr const char* kKind = "loss";
  using Context = LossContext;
  using RequiredOptions = LossOptions;

  // Computes the loss of each image [1, 1], from one task's outputs [1, K] and its target: the
  // number of a class [1, 1], or shares of all classes, labels of 0 and 1, or values [1, K]. What
  // is minimised is the mean over the batch.
  virtual Value forward(const Value& output, const Value& target, const Task& task) = 0;
  // What forward makes. Throws an error that names the component where that is no number an image,
  // or one that does not follow from the output.
  Value operator()(const Value& output, const Value& target, const Task& task);
  // The unit of its values, as metrics.json names it; may be empty.
  virtual std::string unit() const { return "nats"; }
  // What a user should know before training with these tasks; empty where nothing.
  virtual std::string warning() const { return ""; }
  // The label whose images do not count.
  virtual std::optional<int64_t> ignored() const { return std::nullopt; }
  // Of each class what its images count in the mean over a batch, by which losses are divided;
  // empty where all count the same.
  virtual std::vector<double> class_weights() const { return {}; }
  // The one that serves a task.
  virtual Loss& of(const Task& /*task*/) { return *this; }
};

// What is known of each class [1, K], as the target has it: of the class with its number [1, 1], or
// the mean over shares of all [1, K].
Value of_target(const Value& per_class, const Value& target);
// The logarithms of the probabilities [1, K] that a classification's outputs stand for.
Value log_probabilities(const Value& output, const Task& task);

}  // namespace vitrine

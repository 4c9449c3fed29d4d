#pragma once

#include "framework/model/model_context.h"
#include "framework/model/operations.h"
#include "framework/registry/registry.h"

namespace vitrine {

struct LossContext {
  std::vector<Task> tasks;
};

class Loss {
 public:
  static constexpr const char* kKind = "loss";
  using Context = LossContext;

  virtual ~Loss() = default;
  // Computes the loss of each image [1, 1], from one task's outputs [1, classes] and its target [1,
  // 1], the number of a class. What is minimised is the mean over the batch.
  virtual Value forward(const Value& output, const Value& target, const Task& task) = 0;
  // The unit of its values, as metrics.json names it; may be empty.
  virtual std::string unit() const { return "nats"; }
  // What a user should know before training with these tasks; empty where nothing.
  virtual std::string warning() const { return ""; }
};

}  // namespace vitrine

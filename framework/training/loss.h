#pragma once

#include "framework/registry/registry.h"
#include "framework/training/model_context.h"

namespace vitrine {

struct LossContext {
  std::vector<Task> tasks;
};

class Loss {
 public:
  static constexpr const char* kKind = "loss";
  using Context = LossContext;

  virtual ~Loss() = default;
  // The mean over the batch of one task's outputs [B, classes] against its targets (int64 [B]).
  virtual Tensor forward(const Tensor& output, const Tensor& target, const Task& task) = 0;
  // Of its values, as metrics.json names it; may be empty.
  virtual std::string unit() const { return "nats"; }
  // What a user should know before training with these tasks; empty where nothing.
  virtual std::string warning() const { return ""; }
};

}  // namespace vitrine

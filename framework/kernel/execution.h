#pragma once

#include <memory>
#include <vector>

#include "framework/kernel/kernel.h"
#include "framework/kernel/memory.h"
#include "framework/kernel/plan.h"

// What the kernel keeps of a plan, and how one thread carries it out for one group of images.
namespace vitrine {

// One action with its operands where they lie.
struct BoundAction {
  Action::Kind kind;
  const Operation* operation;
  std::vector<Call::Operand> inputs;
  std::vector<Call::Parameter> parameters;
  std::vector<size_t> gradients;  // of the parameters, among all; Binding::kFrozen: none
  Call call;
};

// A plan with a layout, and the actions of each thread over its own memory.
struct Kernel::Prepared {
  MemoryLayout layout;
  PlanOptions options;
  ExecutionPlan plan;
  size_t elements = 0;  // that an image takes, by which the layout is chosen
  size_t unit = 1;      // floats of an element
  size_t images = 1;    // a group

  // Floats that so many elements of an image take for all images of a group.
  size_t floats(size_t elements) const {
    return elements * unit * (layout == MemoryLayout::kImages ? 1 : images);
  }
  struct Thread {
    VectorMemory memory;
    const float* kept = nullptr;  // what the actions are bound to
    std::vector<const float*> values;
    std::vector<BoundAction> forward, backward;
  };
  std::vector<std::unique_ptr<Thread>> threads;
};

// Forward and backward of groups of images, with one thread's memory. `kept` has room for what
// backward needs of forward; null where both are done at once.
class Kernel::Execution {
 public:
  Execution(const Program& program, Prepared& prepared, const Binding& binding,
            Prepared::Thread& thread, float* kept);

  // outputs: as for Kernel::forward, of the whole batch.
  void forward(const ImageGroup& group, const std::vector<float*>& outputs);

  // Sets the gradients by the outputs to the same number for each image; lanes without an image
  // have none, so nothing of theirs is added anywhere. Or to those of the batch.
  void seed(const ImageGroup& group, const std::vector<float>& seeds);
  void seed(const ImageGroup& group, const std::vector<const float*>& gradients_by);

  // Adds to the gradients.
  void backward(const ImageGroup& group, float* gradients);

 private:
  void prepare(Call& call, const ImageGroup& group) const;
  Matrix matrix(const Spot& spot) const;
  Call::Operand operand(const Action::Operand& from) const;
  void collect(size_t output, const ImageGroup& group, float* to) const;
  template <class Value>
  void fill(size_t output, const ImageGroup& group, const Value& value) const;
  void bind(const std::vector<Action>& actions, std::vector<BoundAction>& out) const;
  void bind(const Action& action, BoundAction& out) const;
  void bind(const ParameterUse& use, BoundAction& out) const;

  const Program& program_;
  Prepared& prepared_;
  const Binding& binding_;
  Prepared::Thread& thread_;
  float* kept_ = nullptr;
};

}  // namespace vitrine

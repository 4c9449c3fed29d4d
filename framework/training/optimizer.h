#pragma once

#include <map>
#include <string>
#include <vector>

#include "framework/registry/registry.h"
#include "framework/state/state.h"
#include "framework/training/flat_parameters.h"

namespace vitrine {

class Model;

struct OptimizerContext {
  FlatParameters& parameters;  // outlives the optimizer
};

// What the options of an optimizer are checked against.
struct OptimizerCheckContext {
  const Model& model;
};

enum class WeightDecay {
  kL2,         // added to the gradients: on all parameters unless it is said otherwise
  kDecoupled,  // taken off the weights: on what it is meant for, unless it is said otherwise
};

// The options that every optimizer has; an optimizer's own derive from it and call its visit first.
struct OptimizerOptions {
  double lr, weight_decay;
  bool exclude_bias_and_norm;  // from weight decay, as ParameterTraits::decays says
  double layer_decay = 1;
  double head_lr_factor = 1;

  OptimizerOptions(double default_lr, WeightDecay form, double default_decay = 0)
      : lr(default_lr),
        weight_decay(default_decay),
        exclude_bias_and_norm(form == WeightDecay::kDecoupled),
        form_(form) {}
  void visit(Fields& field);
  void check(Check& check) const;
  void check(const OptimizerCheckContext& context, Check& check) const;

 protected:
  static void check_betas(const std::vector<double>& betas, Check& check);

 private:
  WeightDecay form_;
};

// Updates the parameters by groups that have one learning rate and one weight decay each. Where
// that is all of them, the group is one tensor, whole. Parameters that are frozen now keep their
// bits, and count their steps from the first one that they take.
class Optimizer : public Registered, public Stateful {
 public:
  static constexpr const char* kKind = "optimizer";
  using Context = OptimizerContext;
  using CheckContext = OptimizerCheckContext;
  using RequiredOptions = OptimizerOptions;

  Optimizer(const OptimizerOptions& options, const OptimizerContext& context)
      : Optimizer(options, context, false) {}

  double learning_rate() const { return learning_rate_; }  // the config's; the schedule scales it
  // One step on parameters->values() with parameters->gradients().
  void step(double learning_rate) {
    place(learning_rate);
    step_placed();
  }
  // The same in two parts. Only the first has what the CPU knows of this step; the second reads it
  // from the device, so that a device can repeat it (StepGraph).
  void place(double learning_rate);
  void step_placed();
  // Its state by slot ("exp_avg"): tensors as long as the flat parameters, or of one element
  // ("step"; "step.1" of the first stage of what is trained later). They are written and restored
  // in place. What else it keeps it lists in `state`.
  const std::map<std::string, Tensor>& slots() const { return slots_; }
  // A slot of that name and length, the optimizer's or one that it finds once it asks for it.
  const Tensor& expect_slot(const std::string& name, const Tensor& like);

 protected:
  // Parts of a flat tensor, as views: of each group those that belong to it.
  using Views = std::vector<std::vector<Tensor>>;

  struct Group {
    size_t index = 0;  // in Views
    double lr_factor = 1, weight_decay = 0;
    bool is_excluded = false;                         // from weight decay
    std::vector<std::pair<int64_t, int64_t>> ranges;  // offset, length
    std::vector<Tensor> values, gradients;
    size_t stage = 0;  // FlatParameters::Slice::stage
    Tensor parameter;  // one of them, which stands for all: a stage is trained as a whole
    Tensor steps;      // [1]: so many with this one, where they are counted
    Tensor rate;       // [], on the device: the learning rate; double on the CPU, else float
  };

  // `one_by_one`: each parameter is a view of its own, and excluded ones have groups of their own
  // whatever the weight decay.
  Optimizer(const OptimizerOptions& options, const OptimizerContext& context, bool one_by_one);

  // One step on the values of a group. `learning_rate` is the number in Group::rate.
  virtual void update(const Group& group, double learning_rate) = 0;
  // values -= learning rate * directions
  static void descend(const Group& group, const std::vector<Tensor>& directions,
                      double learning_rate);
  // values *= 1 - learning rate * weight decay
  static void decay(const Group& group, double learning_rate);

  // Zeros, as long as the flat parameters; of a run that is resumed what there was. May be called
  // in the first step.
  Views add_slot(const std::string& name);
  void count_steps(const at::Device& device);  // into Group::steps, which lies there
  at::Device device() const { return parameters_.values().device(); }

 private:
  void group_slices(const OptimizerOptions& options, bool one_by_one);
  Group& group_like(const Group& wanted);
  std::vector<Tensor> views(const Group& group, const Tensor& flat) const;

  FlatParameters& parameters_;
  double learning_rate_;
  double placed_ = 0;  // the learning rate of this step
  std::vector<Group> groups_;
  std::map<std::string, Tensor> slots_;
};

}  // namespace vitrine

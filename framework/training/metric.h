#pragma once

#include <string>
#include <vector>

#include "framework/model/model_context.h"
#include "framework/registry/registry.h"
#include "framework/tensor.h"

namespace vitrine {

struct MetricContext {
  Task task;
};

// What tells how good a task's answers are, computed from sums over images: so it is the same
// however images are cut into batches, in a run that was resumed, and for the sums of several
// processes.
class Metric {
 public:
  static constexpr const char* kKind = "metric";
  using Context = MetricContext;

  virtual ~Metric() = default;
  // The name in rows and tables, where options make another metric of it ("top_3"); empty: the
  // component's.
  virtual std::string name() const { return ""; }
  virtual std::string goal() const { return "max"; }  // or "min"
  virtual std::string unit() const { return "fraction"; }

  // How many sums it keeps.
  virtual int64_t width() const = 0;
  // Adds those of a batch to `sums` (double [width]). outputs [B, classes] are the model's, targets
  // int64 [B]. On another device than the CPU nothing may wait for it.
  virtual void add(const Tensor& outputs, const Tensor& targets, Tensor& sums) const = 0;
  // The value that follows from the sums over so many images; NaN where they do not tell it.
  virtual double value(const double* sums, double images) const = 0;
};

// The probabilities [B, classes] that a task's outputs stand for.
Tensor probabilities_of(const Tensor& outputs, const Task& task);

// How often each class was right, was the answer, and was the target: what several metrics follow
// from. Their value is a mean over classes.
class ClassCounts : public Metric {
 public:
  explicit ClassCounts(const MetricContext& context) : classes_(context.task.classes()) {}

  int64_t width() const override { return 3 * classes_; }
  void add(const Tensor& outputs, const Tensor& targets, Tensor& sums) const override;
  double value(const double* sums, double images) const override;

 protected:
  struct Counts {
    double right = 0, answered = 0, targets = 0;
    double recall() const { return targets > 0 ? right / targets : 0; }
    double precision() const { return answered > 0 ? right / answered : 0; }
  };
  virtual double of_class(const Counts& counts) const = 0;
  // Whether a class counts; by default one that was an answer or a target.
  virtual bool counts(const Counts& counts) const {
    return counts.answered > 0 || counts.targets > 0;
  }

 private:
  int64_t classes_;
};

}  // namespace vitrine

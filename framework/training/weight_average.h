#pragma once

#include <optional>

#include "framework/training/flat_parameters.h"

namespace vitrine {

// The exponential moving average of the weights, which is what is then tested, and with the same
// decay that of the buffers: running statistics follow the weights that they were counted with.
class WeightAverage {
 public:
  // The decay of an average that is `decay` in the end: less in the first steps, in which it would
  // be one of the initial weights (as in TensorFlow's ExponentialMovingAverage and in timm).
  static double decay_at(double decay, int64_t step);

  // `decay`: none keeps no average. The parameters outlive it.
  WeightAverage(FlatParameters& parameters, const std::optional<double>& decay);

  bool exists() const { return values_.defined(); }
  Tensor& values() { return values_; }  // as long as the flat parameters; undefined without one
  // By name. Whole numbers, and what is not finite, are copied.
  const std::map<std::string, Tensor>& buffers() const { return buffers_; }
  void update(int64_t step);  // after a step, the first being 0

  // While it lives, the model has the average in place of its weights, where there is one.
  class InUse {
   public:
    explicit InUse(WeightAverage& average)
        : InUse(average.parameters_, average.values_, average.buffers_) {}
    // Of none where `values` is undefined.
    InUse(FlatParameters& parameters, const Tensor& values,
          const std::map<std::string, Tensor>& buffers);
    ~InUse();
    InUse(const InUse&) = delete;
    InUse& operator=(const InUse&) = delete;

   private:
    FlatParameters& parameters_;
    Tensor weights_;
    std::map<std::string, Tensor> buffers_;
  };

 private:
  FlatParameters& parameters_;
  std::optional<double> decay_;
  Tensor values_;
  std::map<std::string, Tensor> buffers_;
};

}  // namespace vitrine

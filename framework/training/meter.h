#pragma once

#include "framework/tensor.h"
#include "framework/training/state.h"

namespace vitrine {

// Counts what steps give. The sums stay on the device, where no step waits for them.
class Meter {
 public:
  Meter(int64_t width, at::Device device);

  void add(const Tensor& sums, int64_t images);  // of a batch: double [width]
  void add_step(const Tensor& gradient_norm);
  int64_t images() const { return images_; }
  int64_t steps() const { return steps_; }
  double first() const;  // of the sums; waits
  Sums sums() const;     // waits
  void set(const Sums& sums);
  void reset();

 private:
  Tensor values_;  // double [width + 1], the norms last
  int64_t images_ = 0, steps_ = 0;
};

Sums zero_sums(int64_t width);
void add(const Sums& from, Sums& to);

}  // namespace vitrine

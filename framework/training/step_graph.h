#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "framework/training/device_graph.h"
#include "framework/training/meter.h"
#include "framework/training/setup.h"

namespace vitrine {

class Observer;

// One optimizer step, over the mean loss of all images of `batches`. Returns the norm of the
// gradient, before it was scaled down to `clip_norm`.
Tensor train_step(Learner& learner, const std::vector<Batch>& batches,
                  const std::optional<double>& clip_norm, double learning_rate, Meter& meter);

// Trains step by step, where a device can by graphs of a whole step: gradients, clipping and the
// optimizer. The first steps run plainly, and show whether one can be repeated; then one is
// recorded, which reads its images from tensors of its own. An epoch's last batch, where it is
// smaller, runs plainly too. Where other parameters are trained than before all begins anew.
class StepGraph {
 public:
  // `make`: empty where every step is to run plainly. The observer, which may be null, is told once
  // what is done.
  StepGraph(Learner& learner, std::optional<double> clip_norm, MakeDeviceGraph make,
            Observer* observer);

  // As train_step does.
  Tensor step(const std::vector<Batch>& batches, double learning_rate, Meter& meter);
  int64_t repeated() const { return repeated_; }  // steps

 private:
  using Shape = std::vector<int64_t>;  // of all tensors of a step
  struct Recorded {
    int64_t plain = 0;           // steps of this shape
    std::vector<Batch> batches;  // what the graph reads
    std::vector<Tensor> sums;    // what it makes, of each batch
    Tensor norm;
    std::unique_ptr<DeviceGraph> graph;
  };

  void begin_anew_if_others_are_trained();
  void record(const std::vector<Batch>& batches, Recorded& into);
  Tensor watched_step(const std::vector<Batch>& batches, double learning_rate, Meter& meter);
  void tell(const std::string& words);
  void give_up(const std::string& why);

  Learner& learner_;
  std::optional<double> clip_norm_;
  MakeDeviceGraph make_;
  Observer* observer_;
  bool is_told_ = false;
  int64_t most_images_ = 0, repeated_ = 0;
  std::vector<bool> trained_;  // of the parameters
  std::map<Shape, Recorded> recorded_;
};

}  // namespace vitrine

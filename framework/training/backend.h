#pragma once

#include <memory>
#include <string>
#include <vector>

#include "framework/model/recording.h"
#include "framework/training/flat_parameters.h"
#include "framework/training/precision.h"

namespace vitrine {

// The ways to execute a model, as configs name them.
inline constexpr const char* kFused = "fused";    // recorded, by the kernel for CPUs
inline constexpr const char* kLayers = "layers";  // operation by operation, in libtorch

// The fastest way that serves a computation on a device, and why.
struct BackendChoice {
  std::string value, reason;
};
BackendChoice choose_backend(const Computation& computation, const std::string& device);

// Executes a computation; in libtorch in the precision of the PrecisionScope that it is made in, of
// which its outputs are float32 again. Where several processes train together each computes a part
// of every batch, and has the outputs and gradients of the whole.
class Backend {
 public:
  // `way`: kFused or kLayers. Throws Error(kUsage) where that cannot execute it.
  Backend(Computation computation, const std::string& way, const std::string& device);
  // The outputs of a model's tasks, without losses.
  Backend(const std::shared_ptr<Model>& model, const std::string& way, std::vector<int64_t> images,
          const std::string& device);
  ~Backend();

  const std::string& way() const { return way_; }
  const Computation& computation() const { return computation_; }
  // Whether it uses compute_threads() itself, with the same bits for any number of them. What
  // stands around it then runs on one thread, so that a whole step has that property.
  bool has_own_threads() const { return way_ == kFused; }

  // Each [B, tokens * columns], in the modules' present mode; with gradients where they are
  // enabled.
  std::vector<Tensor> forward(const TorchFeed& feed);

  struct Outcome {
    std::vector<Tensor> outputs;  // as of forward, without gradients
    std::vector<Tensor> losses;   // each float [B]
  };
  // Without gradients.
  Outcome evaluate(const TorchFeed& feed);
  // Adds the gradient of `share` times the mean of the weighted losses to those of the parameters.
  Outcome differentiate(const TorchFeed& feed, double share, FlatParameters& parameters);

 private:
  struct Prepared;
  class WithGradients;
  class OfRanks;
  std::shared_ptr<Prepared> prepare();
  bool is_training() const;
  std::vector<Tensor> forward_of(const TorchFeed& feed);  // each [B, tokens, columns]
  std::vector<Tensor> forward_in_libtorch(Prepared& prepared, const TorchFeed& feed);
  std::vector<Tensor> forward_of_ranks(Prepared& prepared, const TorchFeed& feed);
  std::vector<Tensor> losses_in_libtorch(const std::vector<Tensor>& outputs, const TorchFeed& feed);
  BatchPosition position_of(const TorchFeed& feed) const;
  Outcome run_kernel(Prepared& prepared, const TorchFeed& feed, double share,
                     FlatParameters* parameters);

  Computation computation_;
  std::string way_;
  bool is_bfloat16_;  // PrecisionScope's, of when it was made
  c10::DeviceType device_;
  std::shared_ptr<Prepared> prepared_[2];  // for evaluation, for training
};

}  // namespace vitrine

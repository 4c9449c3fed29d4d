#pragma once

#include <memory>
#include <string>
#include <vector>

#include "framework/data/batches.h"
#include "framework/training/flat_parameters.h"
#include "framework/training/objective.h"
#include "framework/training/recording.h"

namespace vitrine {

// The ways to execute a model, as configs name them.
inline constexpr const char* kFused = "fused";    // recorded, by the kernel for CPUs
inline constexpr const char* kLayers = "layers";  // operation by operation, in libtorch

// The fastest way that serves a model on a device, and why.
struct BackendChoice {
  std::string value, reason;
};
// `images`: channels, height and width.
BackendChoice choose_backend(Model& model, const std::vector<int64_t>& images,
                             const std::string& device);

// Executes a model.
class Backend {
 public:
  // `way`: kFused or kLayers. Throws Error(kUsage) where that cannot execute the model.
  Backend(std::shared_ptr<Model> model, const std::string& way, std::vector<int64_t> images,
          const std::string& device);
  ~Backend();

  const std::string& way() const { return way_; }
  // Whether it uses compute_threads() itself, with the same bits for any number of them. What
  // stands around it then runs on one thread, so that a whole step has that property.
  bool has_own_threads() const { return way_ == kFused; }

  // Of each task [B, classes], in the model's present mode; with gradients where they are enabled.
  std::vector<Tensor> forward(const Tensor& images, const BatchPosition* position = nullptr);

  // The losses of a batch, and what they are computed from.
  struct Outcome {
    std::vector<Tensor> outputs;  // of each task [B, classes]
    Objective::Result result;
  };
  Outcome evaluate(const Batch& batch, const Objective& objective);
  // Adds the gradient of `share` times the loss to those of the parameters. What is returned is
  // for counting alone.
  Objective::Result differentiate(const Batch& batch, const Objective& objective, double share,
                                  FlatParameters& parameters);

 private:
  struct Prepared;
  class WithGradients;
  Prepared& prepare(const std::shared_ptr<Loss>& loss);
  std::vector<Tensor> outputs_in_libtorch(Prepared& prepared, const Tensor& images,
                                          const BatchPosition* position);
  Objective::Result run_kernel(Prepared& prepared, const Batch& batch, const Objective& objective,
                               double share, FlatParameters* parameters,
                               std::vector<Tensor>& outputs);

  std::shared_ptr<Model> model_;
  std::string way_;
  std::vector<int64_t> image_sizes_;
  std::vector<std::shared_ptr<Prepared>> prepared_;
};

}  // namespace vitrine

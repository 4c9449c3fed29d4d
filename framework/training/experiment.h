#pragma once

#include <memory>
#include <string>
#include <vector>

#include "framework/data/batches.h"
#include "framework/training/evaluation.h"
#include "framework/training/flat_parameters.h"
#include "framework/training/loss.h"
#include "framework/training/measure.h"
#include "framework/training/metric.h"

namespace vitrine {

struct ExperimentContext {
  std::shared_ptr<Model> model;
  std::shared_ptr<Loss> loss;
  std::vector<Choice<Metric>> metrics;  // that are asked for
  std::string backend;                  // kFused or kLayers
  std::vector<int64_t> image_sizes;     // channels, height, width
  std::string device;
};

// What a model is trained for: what is minimised, and what is measured.
class Experiment {
 public:
  static constexpr const char* kKind = "experiment";
  using Context = ExperimentContext;

  virtual ~Experiment() = default;
  // What a user should know before training; empty where nothing.
  virtual std::string warning() const { return ""; }
  // Whether it uses compute_threads() itself, with the same bits for any number of them.
  virtual bool has_own_threads() const = 0;

  // What it counts of images: so many sums, the first of which is that of what is minimised.
  virtual int64_t width() const = 0;
  // The values that the sums tell, the loss first. The second one chooses the best checkpoint
  // unless told otherwise.
  virtual const std::vector<Measure>& measures() const = 0;

  // Adds the gradient of `share` times the batch's mean loss to those of the parameters. Returns
  // the sums: double [width()], on the device.
  virtual Tensor differentiate(const Batch& batch, double share, FlatParameters& parameters) = 0;
  // In evaluation mode, without gradients; the model is left in training mode.
  virtual Evaluation evaluate(const Batches& data, const EvaluationOptions& options) = 0;
};

}  // namespace vitrine

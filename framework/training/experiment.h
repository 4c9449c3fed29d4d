#pragma once

#include <memory>
#include <string>
#include <vector>

#include "framework/data/batches.h"
#include "framework/model/loss.h"
#include "framework/model/recording.h"
#include "framework/state/state.h"
#include "framework/training/evaluation.h"
#include "framework/training/flat_parameters.h"
#include "framework/training/measure.h"
#include "framework/training/metric.h"

namespace vitrine {

class Observer;

struct ExperimentContext {
  std::shared_ptr<Model> model;
  std::shared_ptr<Loss> loss;           // null where the experiment says that nothing is predicted
  std::vector<Choice<Metric>> metrics;  // that are asked for
  std::string backend;                  // kFused or kLayers
  DatasetInfo data;
  std::vector<Choice<Transform>> transforms;  // of the images
  bool mixes = false;                         // images of a batch with each other, in training
  std::string device;
  uint64_t seed = 0;
  Observer* observer = nullptr;  // whom to tell; null where nobody listens, and nothing is fetched

  std::vector<int64_t> image_sizes() const { return {data.channels, data.height, data.width}; }
};

// The options that every experiment has; its own derive from it and call its visit first.
struct ExperimentOptions {
  // What an experiment says of itself before it is made; no options.
  bool predicts = true;  // its model has heads, which learn labels by the config's loss
  // How often each image is in a batch of training, every time transformed anew: all images once,
  // then all again, each with a number of its own in the batch's position. Labels count it once.
  int64_t views = 1;
  // Its targets follow what images are mixed of (Batch::mixture), as those of an Objective do.
  bool mixes = false;

  void visit(Fields& /*field*/) {}
};

// What a model is trained for: what is minimised, and what is measured. It is made after the model,
// from the same generator, before data are loaded.
class Experiment : public Registered, public Stateful {
 public:
  static constexpr const char* kKind = "experiment";
  using Context = ExperimentContext;
  using RequiredOptions = ExperimentOptions;

  // What a user should know before training; empty where nothing.
  virtual std::string warning() const { return ""; }
  // Whether it uses compute_threads() itself, with the same bits for any number of them.
  virtual bool has_own_threads() const = 0;
  // What a step computes of each image, from which follows how it is best executed.
  virtual const Computation& computation() const = 0;
  // Modules that are trained beside the model, by plain names ("head"). They are moved to the
  // device after the experiment was made; their parameters are stepped, clipped, averaged and kept
  // in checkpoints with the model's.
  virtual Modules modules() const { return {}; }
  // The SHA-256 of what results depend on besides the config's keys and the data, by a name each.
  // A file that an option names as a place is known without it.
  virtual std::map<std::string, std::string> contents() const { return {}; }

  // What it counts of images: so many sums, the first of which is that of what is minimised.
  virtual int64_t width() const = 0;
  // The values that the sums tell, of images, whatever their views; the loss first. The second one
  // chooses the best checkpoint unless told otherwise.
  virtual const std::vector<Measure>& measures() const = 0;

  // Adds the gradient of `share` times the batch's mean loss to those of the parameters. Returns
  // the sums: double [width()], on the device.
  virtual Tensor differentiate(const Batch& batch, double share, FlatParameters& parameters) = 0;
  // After the optimizer's step, the first being 0.
  virtual void after_step(int64_t /*step*/) {}
  // In evaluation mode, without gradients; the modules are left in training mode.
  virtual Evaluation evaluate(const Batches& data, const EvaluationOptions& options) = 0;
};

// What it evaluates. Throws an error that names the component where that is not what it measures,
// or its modules are left in evaluation mode.
Evaluation evaluated(Experiment& experiment, const Batches& data, const EvaluationOptions& options);

}  // namespace vitrine

#pragma once

#include "framework/config/load.h"
#include "framework/config/units.h"
#include "framework/data/dataset.h"
#include "framework/engine/engine.h"
#include "framework/model/loss.h"
#include "framework/model/model_context.h"
#include "framework/training/callback.h"
#include "framework/training/experiment.h"
#include "framework/training/metric.h"
#include "framework/training/mix.h"
#include "framework/training/optimizer.h"
#include "framework/training/precision.h"
#include "framework/training/schedule.h"

namespace vitrine {

struct CheckpointOptions {
  Interval every = Interval::epochs(1);
  int64_t keep = 2;

  void visit(Fields& field);
};

struct EarlyStopping {
  std::string metric = "validation/loss";  // one of ResolvedConfig::metrics
  int64_t patience = 5;
  double min_delta = 0;

  void visit(Fields& field);
};

struct TrainingOptions {
  int64_t epochs = 5;
  std::optional<int64_t> max_steps;
  int64_t batch_size = 128;
  int64_t accumulate = 1;
  std::string precision = kFloat32;
  std::optional<double> clip_norm;
  std::optional<double> ema_decay;
  std::vector<Choice<Mix>> mix;
  std::vector<Choice<Metric>> metrics;  // none: the usual one of each task
  std::string best_by;                  // empty: the first metric, of validation
  std::optional<EarlyStopping> early_stopping;
  int64_t log_every = 50;
  CheckpointOptions checkpoint;
  std::optional<int64_t> overfit_batches;

  void visit(Fields& field);
};

// One experiment, complete.
struct Config {
  std::string name;
  int64_t seed = 0;
  std::vector<std::string> replicate = {"seed"};
  std::string device = "auto";
  std::string backend = "auto";
  std::optional<int64_t> threads;
  bool step_graph = true;
  std::string note;
  std::vector<std::string> tags;
  std::vector<std::string> plugins;
  Choice<Experiment> experiment{"classification"};
  Choice<Dataset> dataset;
  Choice<Model> model;
  static constexpr const char* kDefaultLoss = "cross_entropy";
  Choice<Loss> loss{kDefaultLoss};
  Choice<Optimizer> optimizer{"adam"};
  Choice<Schedule> schedule{"constant"};
  std::vector<Choice<Callback>> callbacks;
  std::vector<Choice<Logger>> loggers;
  TrainingOptions training;
  bool loads_weights =
      true;              // no option: false where a checkpoint takes the place of model.weights
  bool streams = false;  // no option: images are read as they are wanted; dataset.memory is decided
  std::optional<LabelUses> label_uses;  // no option: of its tasks, once they are known

  void visit(Fields& field);
  void check(Check& check) const;
  const DatasetOptions& dataset_options() const { return dataset.options<DatasetOptions>(); }
  const ModelOptions& model_options() const { return model.options<ModelOptions>(); }
  const ExperimentOptions& experiment_options() const {
    return experiment.options<ExperimentOptions>();
  }
};

// Whether a run under way may take up another value of a key, which is `from` and `to` now
// (nullptr: nothing). Of components whose options may change, the types may not.
bool may_change(const Key& key, const Node* from, const Node* to);

// What an earlier part of the run derived: taken again where it can be, so that the run goes on as
// it began.
struct Derived {
  std::optional<Execution> device, backend, threads;
};

// Loads the plug-ins that `written` names, reads it and checks everything that can be known without
// reading data. Throws Error(kUsage) with all problems at once; `file` names the config in
// messages, `also_known` tells of keys that are known elsewhere. `elsewhere`: for another machine;
// the device that is asked for need not be here, and `auto` stays undecided.
std::shared_ptr<const ResolvedConfig> resolve(Node written, const std::string& file,
                                              bool loads_weights = true, const Derived& before = {},
                                              const Problems::KeyLister& also_known = {},
                                              bool elsewhere = false);

// A config with every default that there is now, as far as it can be read. Its plug-ins are loaded.
// `name`: of one that has none.
Node with_defaults(const Node& written, const std::string& name = "");

// Loads the plug-ins of the run in `folder`, or of the one that `folder`, a file of it, lies in;
// none where there is no config. Throws Error(kPlugin).
void load_plugins_of(const std::filesystem::path& folder);

// The keys that a config may have. Plug-ins that `written` names are loaded where that is possible.
KnownKeys known_keys(Node written);

// The images and labels that a model is built for: no labels where nothing is predicted.
ModelContext model_context(const Config& config, const DatasetInfo& info);

}  // namespace vitrine

#pragma once

#include <optional>

#include "framework/data/batches.h"
#include "framework/data/splits.h"
#include "framework/state/made_components.h"
#include "framework/training/callbacks.h"
#include "framework/training/config.h"
#include "framework/training/flat_parameters.h"

namespace vitrine {

// The data of a run, on its device.
struct Data {
  DatasetInfo info;
  std::string fingerprint;            // of the whole data set
  std::string contents;               // of all that is in it; empty unless dataset.verify is full
  std::string test_fingerprint;       // of the images that tests measure
  std::string columns;                // of labels, in words
  std::vector<std::string> findings;  // what looks like a mistake
  Splits splits;                      // what the batches are of
  std::optional<Batches> train, validation, test;
  MadeComponents components;         // that were made for it
  std::shared_ptr<Dataset> dataset;  // its sources may need it
};

// Whether a test measures something: what an experiment predicts is compared with labels.
bool measures_tests(const Config& config, const DatasetInfo& info);

// Through which a data set tells the observer what it does.
DataContext data_context(const Config& config, Observer& observer);

// How the images of a config's data set come into batches.
Preparation preparation_of(const Config& config, const DatasetInfo& info);

// Throws Error(kData) where data are missing or corrupt.
Data load_data(const Config& config, Observer& observer);

// The same; none where a stop was requested meanwhile, which a download answers with an error.
std::optional<Data> load_unless_stopped(const Config& config, Observer& observer);

// The model of a config with fresh weights, or those that it starts from: seeds the global
// generator first, so that equal seeds give equal weights. `observer` is told what was converted;
// without one, weights at an address are not fetched, and where they are not in the cache the model
// stays fresh. `fresh`, if there is one, receives the names of weights that keep their new values.
std::shared_ptr<Model> build_model(const Config& config, const DatasetInfo& info,
                                   Observer* observer = nullptr,
                                   std::vector<std::string>* fresh = nullptr);

// What a step needs besides data.
struct Learner {
  std::shared_ptr<Model> model;
  std::shared_ptr<Experiment> experiment;
  Modules modules;  // the model, then the experiment's
  std::unique_ptr<FlatParameters> parameters;
  std::shared_ptr<Optimizer> optimizer;
  std::vector<PlacedCallback> callbacks;
  MadeComponents components;       // that were made for it; a run adds those of its data
  std::vector<std::string> fresh;  // names of what the weights to start from did not fill
};

// Of the experiment of a config for a model, which executes it in this way (kFused, kLayers).
ExperimentContext experiment_context(const Config& config, std::shared_ptr<Model> model,
                                     const DatasetInfo& info, const std::string& backend);

Learner build_learner(const Config& config, const DatasetInfo& info, Observer* observer = nullptr);

}  // namespace vitrine

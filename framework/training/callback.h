#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "framework/registry/registry.h"
#include "framework/runs/metrics.h"
#include "framework/state/state.h"
#include "framework/training/flat_parameters.h"

namespace vitrine {

class Folder;
class Model;
class Optimizer;

// What a callback is made for.
struct CallbackContext {
  std::shared_ptr<const Model> model;
  std::vector<std::string> frozen;            // patterns of its parameters: model.weights.freeze
  std::map<std::string, MetricInfo> metrics;  // that rows tell: "validation/loss", ...
  bool validates = false;                     // there is a validation split
  int64_t epochs = 0;                         // of the run, whatever max_steps says
  int64_t steps = 0;                          // of the run; 0 where the data are not known yet
};

// A run as callbacks see it. What stands here by reference may be changed by those that train.
struct RunView {
  Model& model;
  FlatParameters& parameters;  // values, and the gradients of the last step, clipped
  Optimizer& optimizer;
  const Metrics& metrics;              // as metrics.json tells it
  const Folder& folder;                // the run's
  int64_t step = 0;                    // optimizer steps done
  int64_t epoch = 0;                   // epochs completed
  int64_t step_in_epoch = 0;           // steps done of the one under way
  int64_t row_step = 0;                // of the last row of steps
  int64_t epochs = 0;                  // that the run has, the last one perhaps cut short
  double learning_rate = 0;            // of the last step
  const Metrics::Object& values;       // of the row that was just written; else empty
  const nlohmann::ordered_json& test;  // what test.json holds, once the run has finished
};

// A few lines that are called as a run goes on. What it lists in `state` joins the checkpoints, so
// that a resumed run is exact. An Error that it throws ends the run.
class Callback : public Registered, public Stateful {
 public:
  static constexpr const char* kKind = "callback";
  using Context = CallbackContext;

  // Names of frozen parameters that it begins to train later, by having them require gradients.
  // Until then they keep their bits.
  virtual std::vector<std::string> trained_later() const { return {}; }
  // The parameters are laid out, with their first values: what it keeps as tensors is made here.
  virtual void prepare(FlatParameters&) {}

  virtual void started(const RunView&) {}   // a new run, before its first step
  virtual void resumed(const RunView&) {}   // instead of it, once all is restored; draws nothing
  virtual void step(const RunView&) {}      // after each optimizer step
  virtual void epoch(const RunView&) {}     // after each epoch, when it has been validated
  virtual void finished(const RunView&) {}  // after the test; the model has the tested weights

  // Why training is to end here; empty: it goes on. Asked after steps and epochs, and once a run
  // was resumed.
  virtual std::string reason_to_end(const RunView&) const { return ""; }
  // Whether something is validated and tested in place of the weights, and what: as long as the
  // flat parameters. Checkpoints hold it under the names of these.
  virtual bool replaces_weights() const { return false; }
  virtual Tensor tested_weights() { return {}; }
  // What goes with them in place of FlatParameters::buffers, by the same names. Of a buffer that is
  // not among them the model's own is tested.
  virtual std::map<std::string, Tensor> tested_buffers() { return {}; }
};

// A callback that only reads. It is no part of the results: it may be added, changed and left out
// whenever a run is resumed, and keeps nothing in checkpoints. Where it fails the run goes on
// without it.
class Logger : public Callback {
 public:
  static constexpr const char* kKind = "logger";

  // A row was written to metrics.jsonl. `values` has "kind", "step" or "epoch".
  virtual void row(const RunView&) {}
};

// Says what is wrong with the name of a metric of validation that `field` goes by, if something is.
void check_validation_metric(const std::string& name,
                             const std::map<std::string, MetricInfo>& metrics, Check at,
                             const char* field);

}  // namespace vitrine

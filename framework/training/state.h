#pragma once

#include <optional>
#include <vector>

#include "framework/runs/checkpoint.h"
#include "framework/runs/metrics.h"
#include "framework/state/states.h"
#include "framework/training/setup.h"

namespace vitrine {

// Sums since the last row or the start of the epoch: over images, but for the norms, which are over
// steps.
struct Sums {
  std::vector<double> values;  // Objective::Result::sums
  double gradient_norms = 0;
  int64_t images = 0, steps = 0;
};

struct BestSoFar {
  double value = 0, loss = 0;  // of validation: what the best is chosen by, and of equals the loss
  int64_t step = 0;
};

// Where a run stands; what checkpoints hold besides tensors.
struct RunState {
  int64_t step = 0;           // optimizer steps done
  int64_t epoch = 0;          // epochs completed
  int64_t step_in_epoch = 0;  // steps done in the epoch under way
  int64_t order_seed = 0;     // of that epoch's order of images
  Sums window, total;         // since the last step row; before that, in this epoch
  std::optional<BestSoFar> best;
  double seconds = 0;  // of training
  double epoch_seconds = 0;
  bool exact = true;
  std::vector<Change> changes;  // that resumes made

  // Takes the step for the best if it is; NaN never is, nor an improvement.
  void note_best(double value, bool larger_is_better, double loss);
};

// Which run it is, and what it is computed with; what it is resumed with must agree, or its results
// are not exact.
struct Provenance {
  std::string run, started;  // Metrics::run and Metrics::started
  std::string dataset_sha256;
  std::string dataset_contents;  // of all that is in it; empty where it was not read in full
  nlohmann::ordered_json contents = nlohmann::ordered_json::object();  // Metrics::contents
  nlohmann::ordered_json config = nlohmann::ordered_json::object();    // Metrics::config
  nlohmann::json environment;                                          // exactness_of
};

// All that steps go on with, besides where a run stands: weights and buffers, the optimizer's
// slots, what is tested in their place, the state of every part and component, the generators. No
// run is needed, and nothing is written.
void capture_learner(Learner& learner, Callbacks& callbacks, Checkpoint& out);
// The reverse, into a learner that was built of the same config. Throws Error(kCheckpoint) where
// the checkpoint, which `file` names in messages, does not fit. The generators are set last, so
// nothing may draw after it.
UnmatchedStates restore_learner(const Checkpoint& checkpoint, Learner& learner,
                                Callbacks& callbacks, const std::string& file);

// All that a run needs to go on exactly: its learner and `state`; and what the rows were at that
// moment.
Checkpoint capture(const RunState& state, Learner& learner, Callbacks& callbacks,
                   const MetricRows& rows, const Provenance& provenance);

struct Restored {
  RunState state;
  uint64_t rows_length = 0;  // of metrics.jsonl
  std::string rows_sha256;
  Provenance provenance;
  UnmatchedStates unmatched = {};
};

// Where a checkpoint's run stood. Throws Error(kCheckpoint).
Restored read_state(const Checkpoint& checkpoint, const std::string& file);

// The reverse of capture, as restore_learner. Throws Error(kCheckpoint).
Restored restore(const Checkpoint& checkpoint, Learner& learner, Callbacks& callbacks,
                 const std::string& file);

// What a component or part of that name keeps in a checkpoint; null where nothing.
nlohmann::json kept_by(const Checkpoint& checkpoint, const std::string& name);

// The weights that a checkpoint would test, by their names: those in their place where there are
// some. Throws Error(kCheckpoint) where one of them is not finite. Those of an experiment are left
// out where its modules are not asked for.
std::map<std::string, Tensor> tested_weights(const Checkpoint& checkpoint, const Modules& modules,
                                             const std::string& file);
// Copies them into the modules, on the CPU, and gives their parts the states that belong to them.
// Throws as above, and where they do not fit.
void restore_weights(const Checkpoint& checkpoint, const Modules& modules, const std::string& file);
// The same for a learner, with the states of all that a test computes with: losses, metrics, what
// an experiment keeps.
void restore_tested(const Checkpoint& checkpoint, Learner& learner, const std::string& file);
// Whether a test computes with more than the model that only a checkpoint has: modules of the
// experiment, or what its components keep. The second function restores that alone.
bool keeps_besides_model(const Learner& learner);
void restore_besides_model(const Checkpoint& checkpoint, Learner& learner, const std::string& file);

}  // namespace vitrine

#pragma once

#include <chrono>
#include <optional>

#include "framework/runs/lock.h"
#include "framework/runs/run_directory.h"
#include "framework/training/callbacks.h"
#include "framework/training/checkpointing.h"
#include "framework/training/evaluation.h"
#include "framework/training/loader.h"
#include "framework/training/meter.h"
#include "framework/training/mix.h"
#include "framework/training/run_log.h"
#include "framework/training/run_recorder.h"
#include "framework/training/setup.h"
#include "framework/training/speed.h"
#include "framework/training/state.h"

namespace vitrine {

// A run under way: what the loop works with. It keeps metrics, checkpoints and signals, so that the
// loop shows only how a model is trained.
class Run {
 public:
  // Makes (or, for a resumed run, locks and restores) the run directory.
  Run(const TrainRequest& request, RunLog& log, Data data, Learner learner);
  ~Run();

  Learner& learner() { return learner_; }
  Meter& meter() { return meter_; }
  const std::vector<Measure>& measures() const { return learner_.experiment->measures(); }
  const TrainingOptions& options() const { return config_.training; }
  const RunState& state() const { return state_; }
  Observer& observer() { return log_; }
  // Whether steps are to be repeated as a graph, where the device has them. Ranks exchange in each.
  bool repeats_steps() const;

  // Whether nothing is left to train: all epochs or steps are done, or a callback asks for the end.
  bool complete() const;
  // Tells callbacks that it has started or was resumed.
  void begin();
  // Draws the order of images; after a resume, rebuilds it.
  void begin_epoch();
  bool has_next_step() const;
  std::vector<Batch> next_batches();  // the batches of one optimizer step
  double learning_rate() const;       // of this step
  // Calls callbacks, writes rows, saves what is due. False: stop now.
  bool end_step(const Tensor& gradient_norm);
  // Validates, writes the epoch's row, saves what is due. False: stop now.
  bool end_epoch();

  // Tests and writes what a finished run leaves.
  void finish();
  // Of a dry run: the same with a few images, after a validation of a few. Returns how many are
  // tested.
  int64_t rehearse_end();
  // Writes the status of a run that ends otherwise.
  void leave(RunStatus status);

  ExitCode stopped() const { return stopped_; }
  // Of a run that is complete: one line where a callback is the reason, else empty.
  std::string early_end() const;
  const RunDirectory& directory() const { return *directory_; }
  const Metrics& metrics() const { return recorder_->metrics(); }
  const Data& data() const { return data_; }

 private:
  void start();
  void lock();
  void restore();
  std::optional<Restored> restore_newest();
  void check_identity(const Restored& restored, const std::filesystem::path& file) const;
  void check_consistent(const Restored& restored, const std::filesystem::path& file) const;
  void go_on_from(const Restored& restored);
  void start_over();
  void check_places(const Provenance& provenance);
  void check_best();
  std::vector<Change> changes_from(const Restored& restored) const;
  void note_change(Change change);
  void keep_change(Change change);
  void note_new_options(const Restored& restored);
  void note_unmatched(const Restored& restored, const std::vector<Change>& changes);
  void commit_resume(bool rows_are_sound);
  void describe();
  RunView view(const Metrics::Object& values, const nlohmann::ordered_json& test) const;
  void call(Callbacks::Hook hook, const Metrics::Object& values = {},
            const nlohmann::ordered_json& test = {});
  Metrics::Object flush_window();
  Metrics::Object append(const char* kind, const Metrics::Object& row);
  Evaluation evaluate_split(const Batches& data, const std::string& split, bool details);
  void note_validation(const Metrics::Object& values);
  [[noreturn]] void fail_diverged(const std::string& what) const;
  [[noreturn]] void fail_from_the_start() const;
  const char* reason_of(RunStatus status) const;
  void save();
  // Lets all ranks have a checkpoint of the first.
  void share_checkpoint(int64_t step);
  void note_checkpoint();
  std::vector<std::shared_ptr<Stateful>> components() const;
  // What all ranks do at this step: they stop where one of them is asked to, save by the clock of
  // the first, and end where its callbacks do.
  bool poll();  // whether this step is saved
  void agree_on_end();
  void check_alike();
  void show_progress();
  FlatParameters& parameters() { return *learner_.parameters; }
  Metrics& told() { return recorder_->metrics(); }
  const Metrics& told() const { return recorder_->metrics(); }
  int64_t epochs() const;  // the last one perhaps cut short

  const TrainRequest& request_;
  const Config& config_;
  RunLog& log_;
  Data data_;
  Learner learner_;
  std::optional<Mixer> mixer_;
  std::shared_ptr<Schedule> schedule_;
  Provenance provenance_;
  nlohmann::json model_;  // described, so that a checkpoint suffices to use it
  std::optional<RunDirectory> directory_;
  std::optional<RunLock> lock_;
  std::optional<RunRecorder> recorder_;
  RunState state_;
  DataLoader loader_;
  Checkpointing checkpointing_;
  Meter meter_;  // state_.window while steps go on
  Callbacks callbacks_;
  Callbacks::End end_;  // that one asks for
  double last_loss_ = 0;
  bool cut_short_ = false;  // the epoch under way has ended before its last step, by max_steps
  ExitCode stopped_ = ExitCode::kDone;
  bool stopped_by_limit_ = false;  // by request_.stop_after, not by a signal
  using Clock = std::chrono::steady_clock;
  Clock::time_point lap_;
  Speed speed_{0};
};

}  // namespace vitrine

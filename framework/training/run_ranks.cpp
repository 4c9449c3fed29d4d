#include <array>

#include "framework/ranks/ranks.h"
#include "framework/training/rank_folder.h"
#include "framework/training/run.h"

// What the ranks of a run agree on.
namespace vitrine {

void Run::agree_on_end() {
  if (ranks().is_alone()) return;
  const bool ends = ranks().is_first() && !end_.reason.empty();
  if (ranks().largest(ends ? 1 : 0) == 0) {
    end_ = {};
  } else {
    end_ = {ranks().from_first(end_.type), ranks().from_first(end_.reason)};
  }
}

bool Run::poll() {
  const bool is_due = ranks().is_first() && checkpointing_.is_due(state_.step);
  std::array<int64_t, 2> agreed = {static_cast<int64_t>(log_.stop_requested()), is_due ? 1 : 0};
  ranks().largest(agreed.data(), agreed.size());
  if (stopped_ == ExitCode::kDone) stopped_ = static_cast<ExitCode>(agreed[0]);
  const bool limit = request_.stop_after && state_.step >= *request_.stop_after;
  if (stopped_ == ExitCode::kDone && limit && !complete()) {
    stopped_ = ExitCode::kStopped;
    stopped_by_limit_ = true;
  }
  return agreed[1] != 0;
}

// Ranks that drift apart would still agree on every loss, as each computes but a part of it.
void Run::check_alike() {
  if (ranks().is_alone()) return;
  Checkpoint own;
  capture_learner(learner_, callbacks_, own);
  vitrine::check_alike(own.tensors, state_.step);
}

void Run::share_checkpoint(int64_t step) {
  if (ranks().is_alone()) return;
  share_file(checkpoint_file(Folder::make(directory_->checkpoints()), step));
}

}  // namespace vitrine

#include "framework/training/loop.h"

#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include "framework/model/model.h"
#include "framework/training/step_graph.h"

namespace vitrine {
namespace {

// The stream of what is trained: what is recorded as a graph cannot run on a device's default one.
class OwnStream {
 public:
  OwnStream(at::Device device, bool is_wanted) {
    if (!is_wanted) return;
    const c10::impl::VirtualGuardImpl guard(device.type());
    const at::Device here = guard.getDevice();
    guard.synchronizeStream(guard.getStream(here));  // weights and data are there
    own_ = guard.getNewStream(here);
    guard_.reset_stream(*own_);
  }
  OwnStream(const OwnStream&) = delete;
  OwnStream& operator=(const OwnStream&) = delete;
  ~OwnStream() {
    if (own_) c10::impl::VirtualGuardImpl(own_->device_type()).synchronizeStream(*own_);
  }

 private:
  std::optional<c10::Stream> own_;
  c10::OptionalStreamGuard guard_;
};

}  // namespace

void train(Run& run) {
  set_training(run.learner().modules, true);
  run.begin();
  const at::Device device = run.learner().parameters->values().device();
  const MakeDeviceGraph graphs = run.repeats_steps() ? graphs_of(device) : MakeDeviceGraph();
  const OwnStream own_stream(device, static_cast<bool>(graphs));
  StepGraph steps(run.learner(), run.options().clip_norm, graphs, &run.observer());
  while (!run.complete()) {
    run.begin_epoch();
    while (run.has_next_step()) {
      const Tensor norm = steps.step(run.next_batches(), run.learning_rate(), run.meter());
      if (!run.end_step(norm)) return;
    }
    if (!run.end_epoch()) return;
  }
}

}  // namespace vitrine

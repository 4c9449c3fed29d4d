#pragma once

#include "framework/pace.h"
#include "framework/runs/metrics.h"

namespace vitrine {

// The metrics.json of a run under way. It holds every epoch, so that it costs the more to write the
// longer the run has gone on; metrics.jsonl has each epoch at once, and whoever reads a run that is
// under way takes from there what is missing here (Metrics::read).
class MetricsFile {
 public:
  explicit MetricsFile(Place place, Pace pace = {})
      : place_(std::move(place)), pace_(std::move(pace)) {}

  // At a start and at an end. Throws Error(kFailed).
  void write(const Metrics& metrics);
  // Writes after an epoch: where it takes little of the time since it was last written, and for the
  // first checkpoint. True: it was written.
  bool write_if_cheap(const Metrics& metrics);

 private:
  Place place_;
  Pace pace_;
  bool names_checkpoint_ = false;
};

}  // namespace vitrine

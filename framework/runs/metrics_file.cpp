#include "framework/runs/metrics_file.h"

namespace vitrine {

void MetricsFile::write(const Metrics& metrics) {
  pace_.perform([&] { metrics.write(place_); });
  names_checkpoint_ = !metrics.last_checkpoint.empty();
}

bool MetricsFile::write_if_cheap(const Metrics& metrics) {
  // That checkpoints were lost can be told only if it was known that there were some.
  const bool is_first_checkpoint = !names_checkpoint_ && !metrics.last_checkpoint.empty();
  if (!is_first_checkpoint && !pace_.is_due()) return false;
  write(metrics);
  return true;
}

}  // namespace vitrine

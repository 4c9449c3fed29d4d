#include "framework/training/run_recorder.h"

#include <fmt/format.h>

#include "framework/files/file.h"

namespace vitrine {

using Json = nlohmann::ordered_json;

RunRecorder RunRecorder::begin(const RunDirectory& directory, RunLog& log) {
  if (exists(directory.rows())) set_aside(directory.rows());
  return {directory, log};
}

RunRecorder RunRecorder::resume(const RunDirectory& directory, RunLog& log) {
  Metrics before;
  bool is_damaged = false;
  try {
    if (exists(directory.metrics())) before = Metrics::read_alone(directory.metrics());
  } catch (const Error& error) {
    if (error.system_code() != 0) throw;
    is_damaged = true;
    log.warning(
        fmt::format("the run's metrics are unusable: {}; they are made anew from "
                    "checkpoints and metrics.jsonl",
                    error.what()));
  }
  RunRecorder out(directory, log);
  out.metrics_ = std::move(before);
  out.is_damaged_ = is_damaged;
  return out;
}

void RunRecorder::write() {
  if (is_damaged_) log_.message("what there was is in " + escape(set_aside(metrics_place_)));
  is_damaged_ = false;
  file_.write(metrics_);
}

bool RunRecorder::take_up_rows(uint64_t length, const std::string& sha256, int64_t step,
                               int64_t epoch) {
  if (rows_.take_up(length, sha256)) {
    metrics_.history.clear();
    for (Json& row : read_epochs(rows_place_, length)) metrics_.add_epoch(std::move(row));
    return true;
  }
  drop_epochs_behind(step, epoch);
  const auto known = static_cast<int64_t>(metrics_.history.size());
  const int64_t lost = epoch - known;
  log_.warning(fmt::format(
      "{} is {}: it is made anew with {} that metrics.json tells of{}; the rows of steps up to "
      "step {} are left out",
      rows_place_.shown(), rows_.is_empty() ? "gone" : "not what the checkpoint was saved with",
      known == 1 ? "the epoch" : fmt::format("the {} epochs", known),
      lost > 0 ? fmt::format(" ({} more are not known any more)", lost) : "", step));
  return false;
}

void RunRecorder::drop_epochs_behind(int64_t step, int64_t epoch) {
  std::erase_if(metrics_.history, [&](const Json& row) {
    return row.at("step").get<int64_t>() > step || row.at("epoch").get<int64_t>() > epoch;
  });
}

void RunRecorder::mend_rows() {
  if (!rows_.is_empty())
    log_.message(fmt::format("what there was is in {}", escape(set_aside(rows_place_))));
  rows_ = MetricRows(rows_place_);
  for (const Json& epoch : metrics_.history) {
    Json row = {{"kind", "epoch"}};
    row.update(epoch);
    rows_.append(row);
  }
}

}  // namespace vitrine

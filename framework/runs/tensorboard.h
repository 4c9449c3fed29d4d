#pragma once

#include <nlohmann/json.hpp>

#include "framework/runs/event_file.h"
#include "framework/runs/metrics.h"

// What a run tells of itself, as TensorBoard shows it.
namespace vitrine {

// The event files of a run in a folder: epochs and what is told once lie in it, and the rows of
// steps, which have the same names, in steps/ below it, which TensorBoard shows as a run of its
// own.
class TensorBoardFiles {
 public:
  // Up to where a run is resumed from.
  struct Kept {
    int64_t last_row = 0, last_epoch = 0;  // steps of its last row of steps and of epochs
  };

  // New files in `folder`, which is made if needed; what others there tell of what is behind `kept`
  // is cut off. They begin with the config as text, and its values that are not defaults as
  // hyperparameters. Throws Error.
  TensorBoardFiles(const Place& folder, double seconds, const Metrics& metrics,
                   const std::string& config, const std::optional<Kept>& kept = {});

  void row(double seconds, const Metrics::Object& row);  // of metrics.jsonl, of either kind
  void write(double seconds, int64_t step, const EventValues& values);
  // `test`: what the test.json of the run holds; null where that is not known.
  void finish(double seconds, const Metrics& metrics, const nlohmann::ordered_json& test,
              const std::filesystem::path& run);

 private:
  Folder folder_;
  EventFile epochs_, steps_;
};

// Event files of what a run has told in metrics.json, metrics.jsonl and test.json. Throws
// Error(kData) for what cannot be read, Error(kFailed) for what cannot be written.
void write_event_files(const std::filesystem::path& run, const Place& folder);

}  // namespace vitrine

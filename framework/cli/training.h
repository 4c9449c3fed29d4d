#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "framework/engine/engine.h"

namespace vitrine {

// What train and resume have in common: the options that they declare, and how they run.
class TrainingCommand {
 public:
  explicit TrainingCommand(CLI::App& app);

  // The config's source with what --device, --threads and --unset change.
  ConfigSource source(const std::filesystem::path& config) const;
  const std::vector<std::string>& assignments() const { return changes_.overrides; }
  // Whether an option is given that changes a config or where it stops.
  bool changes_config() const;
  bool json() const { return json_; }
  // Trains with request.config and says where the run is.
  ExitCode run(TrainRequest request) const;

 private:
  ConfigSource changes_;
  std::string device_;
  int64_t threads_ = 0, stop_after_ = 0;
  bool json_ = false;
};

// Joins the processes of one run that a launcher has started; of these the first alone prints.
void join_ranks_quietly();

}  // namespace vitrine
